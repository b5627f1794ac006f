"""Asks all variants the same questions, as they are served."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.algorithms.best_of import BY, LAYERS, BestOf, Candidates
from benchmarks.algorithms.training import CONTROL, START
from benchmarks.places import DATA, DONE
from deploy.engines.abstaining import Abstaining
from deploy.knowledge.store import open_knowledge
from deploy.prompts.template import load_template
from tasks.evaluation.arms import Answered, Respondent, Setup
from tasks.evaluation.figures import by_task
from tasks.evaluation.ledger import subset_name
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

    Of several trainings all figures are means, and `differences` has how far each of them is from the start;
    the intervals are over questions, each with its mean over the trainings. `stopped` says why one ended
    before its time, after `updates`; empty where none did. `tasks` are scores by kind of question, `parts`
    how far it is from the start on questions like those of training, and on each part that was held out.
    """

    score: Interval
    difference: Interval | None
    over_control: Interval | None
    abstains_rightly: float | None
    abstains_wrongly: float | None
    retention: float
    tasks: Mapping[str, float] = field(default_factory=dict)
    parts: Mapping[str, Interval] = field(default_factory=dict)
    differences: Sequence[float] = ()
    seconds: float | None = None
    kl: float | None = None
    updates: int | None = None
    stopped: str = ""


def measured(
    places: Mapping[str, Sequence[Path]],
    settings: Settings,
    *,
    count: int,
    best_of: int = 0,
    split: str = "test",
    calibrated: bool = True,
) -> dict[str, Row]:
    """All rows on the same questions of a split, the start first; a row has one training or several.

    Where they are not `calibrated`, each gives its likeliest answer, whatever its threshold. With `best_of`
    two more: the best of so many answers of it, by the reward model and by the true score.
    """
    device = set_up_torch(settings.run)
    names = {
        name: [f"model{number}-{turn}" for turn in range(len(row))]
        for number, (name, row) in enumerate(places.items())
    }
    trained = {
        model: place for name, row in places.items() for model, place in zip(names[name], row, strict=True)
    }
    abstention: dict[str, Abstaining] = {}
    for model, place in trained.items() if calibrated else ():
        known = read_thresholds(place / DATA / "calibrate.json")
        for ours, theirs in ((START, "sft"), (model, "rlhf")):
            if theirs in known:
                abstention[ours] = known[theirs]
    served = serve(
        DATA / "models" / "base",
        {START: DATA / "models" / "sft"}
        | {model: place / DATA / "adapter" for model, place in trained.items()},
        open_knowledge(DATA / "index", DATA / "models" / "retriever", settings.retrieval),
        load_template(settings.prompt.template),
        device=device,
        generation=settings.generation,
        batch_size=settings.evaluate.batch_size,
        abstention=abstention,
    )
    respondents: list[Respondent] = [
        Setup(name=each, model=each, layers=LAYERS) for each in (START, *trained)
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

    control = names.get(CONTROL, [])
    base = _mean_scores([found.answered[START]])
    others = _mean_scores([found.answered[arm] for arm in control]) if control else None

    def row(arms: Sequence[str], models: Sequence[str], taken: Sequence[Path] = ()) -> Row:
        answers = [found.answered[arm] for arm in arms]
        scores = _mean_scores(answers)
        return Row(
            score=_interval(scores, settings),
            difference=_interval(_less(scores, base), settings) if list(arms) != [START] else None,
            over_control=(
                _interval(_less(scores, others), settings)
                if others is not None and list(arms) not in ([START], control)
                else None
            ),
            abstains_rightly=_abstains(answers, answerable=False),
            abstains_wrongly=_abstains(answers, answerable=True),
            tasks=_by_task(answers),
            parts=_by_part(answers[0], _less(scores, base), settings) if list(arms) != [START] else {},
            retention=fmean(retention(found.nll["base"], found.nll[model]) for model in models),
            differences=[fmean(_less(_mean_scores([each]), base)) for each in answers] if taken else (),
            **_taken(taken),
        )

    return {
        "fine-tuning": row([START], [START]),
        **{name: row(names[name], names[name], taken) for name, taken in places.items()},
        **{each.name: row([each.name], [START]) for each in choosers},
    }


def _taken(places: Sequence[Path]) -> dict[str, Any]:
    """What the trainings took, in the mean, and why one of them stopped early; nothing of none."""
    if not places:
        return {}
    reports = [
        json.loads((place / DATA / "report.json").read_text(encoding="utf-8"))["figures"] for place in places
    ]
    early = [each for each in reports if TOLD.get(each.get("stopped", ""))]
    shown = (early or reports)[0]
    divergences = [each["heldout"]["kl"] for each in reports if each.get("heldout")]
    return {
        "seconds": fmean(
            json.loads((place / DONE).read_text(encoding="utf-8"))["seconds"] for place in places
        ),
        "kl": fmean(divergences) if divergences else None,
        "updates": shown.get("updates"),
        "stopped": TOLD.get(shown.get("stopped", ""), ""),
    }


def _by_task(answered: Sequence[Sequence[Answered]]) -> dict[str, float]:
    """The mean score of each kind of question, over the trainings."""
    each = [by_task(answers) for answers in answered]
    return {name: round(fmean(one[name] for one in each), 4) for name in each[0]}


def _by_part(
    answered: Sequence[Answered], differences: Sequence[float], settings: Settings
) -> dict[str, Interval]:
    """The mean difference among questions that are like those of training, and among each part held out."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    for each, difference in zip(answered, differences, strict=True):
        found[subset_name(each.example.held_out)].append(difference)
    return {name: _interval(found[name], settings) for name in sorted(found)}


def _interval(values: Sequence[float], settings: Settings) -> Interval:
    return bootstrap(values, resamples=settings.evaluate.bootstrap, seed=settings.run.seed)


def _mean_scores(answers: Sequence[Sequence[Answered]]) -> list[float]:
    """The score of each question, in the mean of those who answered it."""
    return [fmean(each.score for each in asked) for asked in zip(*answers, strict=True)]


def _less(scores: Sequence[float], others: Sequence[float]) -> list[float]:
    return [one - other for one, other in zip(scores, others, strict=True)]


def _abstains(answered: Sequence[Sequence[Answered]], *, answerable: bool) -> float | None:
    """The share of abstentions among questions with, or without, an answer; None without such questions."""
    told = [
        each.abstained for answers in answered for each in answers if each.example.answerable == answerable
    ]
    return fmean(told) if told else None
