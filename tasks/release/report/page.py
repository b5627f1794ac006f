"""Fills the page: from what the stages reported to the parts that the template shows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from deploy.settings import Section
from tasks.evaluation.answers import AnsweredQuestion
from tasks.evaluation.ledger import NAMES, Ledger, subset_sizes
from tasks.evaluation.sentences import (
    PASSAGE_FOUND,
    forgetting_sentences,
    majority_sentence,
    parity_sentences,
    rule_sentences,
    skip_sentences,
    subset_sentence,
    test_set_sentences,
    verdict_sentences,
)
from tasks.pages import environment
from tasks.pages.curves import draw
from tasks.pages.numbers import decimals, milliseconds, percent, spelled
from tasks.pages.tables import Line, as_written, lines
from tasks.release.report.account import account
from tasks.release.report.data import agreement_tables, group_tables, source_table
from tasks.release.report.inputs import Inputs
from tasks.release.report.reliability import reliability
from tasks.release.report.resources import MACHINE, stage_lines, versions
from tasks.release.report.sentences import (
    calibration_sentences,
    headline,
    reward_sentences,
    rlhf_sentences,
    sft_sentences,
)
from tasks.release.report.trials import search_sentences, trial_lines
from tasks.rows.accounting import COLUMNS, balance_sentence, cells, reasons_told, row_accounting

TEMPLATES = Path(__file__).parent
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
# The picture of a score is as high as a row of the table, so that the lines of the rows join.
WIDTH, HEIGHT, MARGIN = 200, 56, 8
TRAINING = {
    "sft": ("Fine-tuning", sft_sentences),
    "reward": ("Reward model", reward_sentences),
    "rlhf": ("RLHF", rlhf_sentences),
    "calibrate": ("When it abstains", calibration_sentences),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One stage that learns from rows: what to say of it, its curves as SVG and its figures."""

    stage: str
    title: str
    sentences: tuple[str, ...]
    curves: Markup
    figures: list[Line]


def render(
    inputs: Inputs,
    *,
    settings: Mapping[str, Section],
    timings: Mapping[str, Mapping[str, float]],
    num_examples: int,
) -> str:
    """The whole page as HTML."""
    pages = environment(TEMPLATES)
    pages.filters |= {
        "percent": percent,
        "milliseconds": milliseconds,
        "decimals": decimals,
        "spelled": spelled,
        "place": place,
    }
    accounting = row_accounting(inputs.reports.values())
    card = inputs.reports["card"].figures if "card" in inputs.reports else None
    by_source = account(card)
    faults = (*accounting.faults, *(by_source.faults if by_source else ()))
    ledger = inputs.ledger
    return pages.get_template("page.html").render(
        headline=headline(ledger) if ledger else "",
        ledger=ledger,
        verdicts=verdict_sentences(ledger) if ledger else {},
        rule=rule_sentences(ledger) if ledger else [],
        subsets=list(subset_sizes(ledger)) if ledger else [],
        subset_note=subset_sentence(ledger) if ledger else "",
        majority=majority_sentence(ledger) if ledger else "",
        passage_found=PASSAGE_FOUND,
        test_set=test_set_sentences(ledger) if ledger else [],
        skipped=skip_sentences(ledger) if ledger else [],
        parity=parity_sentences(ledger) if ledger else [],
        forgetting=forgetting_sentences(ledger) if ledger else [],
        by_task=by_task(ledger) if ledger else [],
        picture={"width": WIDTH, "height": HEIGHT, "ticks": TICKS},
        examples=pick(inputs.answers, num_examples),
        num_answers=len(inputs.answers),
        names=NAMES,
        columns=COLUMNS,
        accounting=[(cells(line), reasons_told(line)) for line in accounting.lines],
        account=by_source,
        sources=source_table(collected.figures if (collected := inputs.reports.get("collect")) else None),
        groups=group_tables(card),
        agreement=agreement_tables(card),
        balanced=not faults,
        balance=balance_sentence(faults),
        gate=inputs.reports["gate"].figures if "gate" in inputs.reports else None,
        expectations=expectations(inputs),
        search=search_sentences(inputs.reports.get("search")),
        trials=trial_lines(inputs.reports.get("search")),
        trainings=trainings(inputs),
        others=[
            (stage, lines(inputs.reports[stage].figures))
            for stage in (
                "base",
                "collect",
                "clean",
                "split",
                "index",
                "query_encoder",
                "rerank",
                "knowledge",
                "sample",
                "evaluate",
                "bundle",
            )
            if stage in inputs.reports and inputs.reports[stage].figures
        ],
        settings=[
            (name, lines(section.model_dump(mode="json"), say=as_written))
            for name, section in settings.items()
        ],
        stages=stage_lines(inputs, timings),
        machine=MACHINE,
        versions=versions(),
        hashes=sorted(inputs.sha256.items()),
    )


def place(share: float) -> float:
    """The x of a value in 0..1 in the picture of a score."""
    return round(MARGIN + min(max(share, 0.0), 1.0) * (WIDTH - 2 * MARGIN), 1)


def by_task(ledger: Ledger) -> list[tuple[str, list[float | None]]]:
    """For each task the score of each arm."""
    tasks = sorted({task for arm in ledger.arms.values() for task in arm.tasks})
    return [(task, [arm.tasks.get(task) for arm in ledger.arms.values()]) for task in tasks]


def pick(answers: Sequence[AnsweredQuestion], count: int) -> list[AnsweredQuestion]:
    """`count` questions that show most: the tasks in turn, in each those first that the arms differ on."""
    waiting: defaultdict[str, list[AnsweredQuestion]] = defaultdict(list)
    for question in sorted(answers, key=lambda question: (-_spread(question), question.id)):
        waiting[question.task].append(question)
    picked: list[AnsweredQuestion] = []
    while len(picked) < min(count, len(answers)):
        for task in sorted(waiting):
            if waiting[task] and len(picked) < count:
                picked.append(waiting[task].pop(0))
    return picked


def expectations(inputs: Inputs) -> list[tuple[str, Mapping[str, Any]]]:
    """Each expectation on the rows with its table and name in words, and what it found."""
    tables = (
        inputs.reports["validate"].figures.get("expectations", {}) if "validate" in inputs.reports else {}
    )
    return [
        (f"{table} {name}".replace("_", " "), found)
        for table, named in tables.items()
        for name, found in named.items()
    ]


def trainings(inputs: Inputs) -> list[Training]:
    """The training stages that ran, each with its curves."""
    result: list[Training] = []
    for stage, (title, sentences) in TRAINING.items():
        one = inputs.reports.get(stage)
        if one is None:
            continue
        svg = draw(inputs.curves[stage], stage, form="svg").decode() if stage in inputs.curves else ""
        if stage == "reward":
            svg += reliability(one.figures)
        result.append(
            Training(
                stage=stage,
                title=title,
                sentences=tuple(sentences(one.figures)),
                curves=Markup(svg),  # noqa: S704 - drawn by matplotlib from numbers, no text of a user in it
                figures=lines({k: v for k, v in one.figures.items() if k not in MACHINE}),
            )
        )
    return result


def _spread(question: AnsweredQuestion) -> float:
    scores = [answer.score for answer in question.arms.values()]
    return max(scores) - min(scores)
