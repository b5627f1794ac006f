"""Asks all variants the same questions, as they are served."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.algorithms.best_of import BY, LAYERS, BestOf, Candidates
from benchmarks.algorithms.training import CONTROL, START
from benchmarks.places import DATA, DONE
from deploy.engines.abstaining import Abstaining
from deploy.knowledge.store import open_knowledge
from deploy.prompts.template import load_template
from tasks.evaluation.arms import Answered, Respondent, Setup
from tasks.evaluation.measuring import measure, serve
from tasks.evaluation.retention import retention
from tasks.evaluation.thresholds import read_thresholds
from tasks.machine.device import set_up_torch
from tasks.rows.records import Example
from tasks.rows.tables import read_table
from tasks.scoring.scores import Interval, bootstrap
from tasks.settings import Settings
from tasks.training.reinforcement.loop import TOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a model scored, against the start, and what its training took; None where there was none.

    `stopped` says why it ended before its time, after `updates`; empty where it did not.
    """

    score: Interval
    difference: Interval | None
    over_control: Interval | None
    abstains_rightly: float
    abstains_wrongly: float
    retention: float
    seconds: float | None = None
    heldout: Mapping[str, Any] | None = None
    updates: int | None = None
    stopped: str = ""


def measured(
    places: Mapping[str, Path], settings: Settings, *, count: int, best_of: int = 0, split: str = "test"
) -> dict[str, Row]:
    """All rows on the same questions of a split, the start first.

    With `best_of` two more: the best of so many answers of it, by the reward model and by the true score.
    """
    device = set_up_torch(settings.run)
    names = {name: f"model{number}" for number, name in enumerate(places)}
    abstention: dict[str, Abstaining] = {}
    for name, place in places.items():
        known = read_thresholds(place / DATA / "calibrate.json")
        for ours, theirs in ((START, "sft"), (names[name], "rlhf")):
            if theirs in known:
                abstention[ours] = known[theirs]
    served = serve(
        DATA / "models" / "base",
        {START: DATA / "models" / "sft"}
        | {names[name]: place / DATA / "adapter" for name, place in places.items()},
        open_knowledge(DATA / "index", DATA / "models" / "retriever", settings.retrieval),
        load_template(settings.prompt.template),
        device=device,
        generation=settings.generation,
        batch_size=settings.evaluate.batch_size,
        abstention=abstention,
    )
    respondents: list[Respondent] = [
        Setup(name=each, model=each, layers=LAYERS) for each in (START, *names.values())
    ]
    candidates = Candidates(count=best_of)
    choosers = [
        BestOf(
            name=f"best of {best_of}, by the {by}",
            by=by,
            candidates=candidates,
            base=DATA / "models" / "base",
            reward=DATA / "models" / "reward",
            device=device,
        )
        for by in (BY if best_of else ())
    ]
    found = measure(
        served,
        [*respondents, *choosers],
        read_table(DATA / "splits" / split / "examples.parquet", Example),
        count=count,
        settings=settings.evaluate.model_copy(update={"latency_requests": 0}),
        seed=settings.run.seed,
    )

    def row(name: str, arm: str, model: str) -> Row:
        answers, told = found.answered[arm], {}
        if name in places:
            report = json.loads((places[name] / DATA / "report.json").read_text(encoding="utf-8"))
            done = json.loads((places[name] / DONE).read_text(encoding="utf-8"))
            figures = report["figures"]
            told = {
                "seconds": done["seconds"],
                "heldout": figures.get("heldout"),
                "updates": figures.get("updates"),
                "stopped": TOLD.get(figures.get("stopped", ""), ""),
            }
        control = names.get(CONTROL)
        return Row(
            score=_interval([each.score for each in answers], settings),
            difference=_apart(answers, found.answered[START], settings) if arm != START else None,
            over_control=(
                _apart(answers, found.answered[control], settings)
                if control and arm not in (START, control)
                else None
            ),
            abstains_rightly=_abstains(answers, answerable=False),
            abstains_wrongly=_abstains(answers, answerable=True),
            retention=retention(found.nll["base"], found.nll[model]),
            **told,
        )

    return {
        "fine-tuning": row("fine-tuning", START, START),
        **{name: row(name, names[name], names[name]) for name in places},
        **{each.name: row(each.name, each.name, START) for each in choosers},
    }


def _interval(values: Sequence[float], settings: Settings) -> Interval:
    return bootstrap(values, resamples=settings.evaluate.bootstrap, seed=settings.run.seed)


def _apart(answers: Sequence[Answered], others: Sequence[Answered], settings: Settings) -> Interval:
    """The mean paired difference of the scores."""
    return _interval([one.score - other.score for one, other in zip(answers, others, strict=True)], settings)


def _abstains(answers: Sequence[Answered], *, answerable: bool) -> float:
    """The share of abstentions among questions with, or without, an answer."""
    told = [each.abstained for each in answers if each.example.answerable == answerable]
    return sum(told) / len(told)
