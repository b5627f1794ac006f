"""The questions that a way to rank learns from, those that choose its state, and those that judge it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tasks.rows.records import Example
from tasks.rows.reports import Report, row_counts
from tasks.rows.sampling import stratified
from tasks.scoring.recall import with_evidence
from tasks.training.settings import RankingSettings

FEWEST = 20  # questions to learn from, and to choose and judge by: of fewer any order may look best
NO_EVIDENCE = "it is not known what answers it"
TOO_FEW = "too few questions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What has come of it: `reason` says why nothing is kept, and is empty where something is.

    `trained` rows were learned from, `unused` ones were not, by reason.
    """

    reason: str
    trained: int = 0
    unused: dict[str, int] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)

    def report(self, stage: str, entered: int) -> Report:
        """What the stage tells of it, to which so many examples were given."""
        rows = row_counts("example", entered, trained=self.trained, unused=self.unused)
        skipped = {"skipped": self.reason} if self.reason else {}
        return Report(stage=stage, rows=rows, figures={**skipped, **self.figures})


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """Rows to learn from and others to judge by; `unused` counts those of training left out, by reason."""

    rows: list[Example]
    judges: list[Example]
    unused: dict[str, int]


def choose_questions(
    examples: Sequence[Example],
    held_out: Sequence[Example],
    settings: RankingSettings,
    *,
    section: str,
    seed: int,
) -> Questions | Made:
    """Questions of which it is known what answers them, evenly over their tasks; or why there are too few."""
    known, judges = with_evidence(examples), with_evidence(held_out)
    without = {NO_EVIDENCE: len(examples) - len(known)}
    if reason := _too_few(len(known), len(judges)):
        return Made(reason=reason, unused=without | {TOO_FEW: len(known)})
    rows = stratified(known, settings.max_rows, key=lambda row: row.task, seed=seed)
    judges = stratified(judges, settings.validation_rows, key=lambda row: row.task, seed=seed)
    random.Random(seed).shuffle(judges)
    unused = without | {f"over {section}.max_rows": len(known) - len(rows)}
    return Questions(rows=rows, judges=judges, unused=unused)


def _too_few(known: int, judges: int) -> str:
    """Why the rows are not enough, and what is missing; empty where they are."""
    lacking = next(
        ((split, count) for split, count in (("training", known), ("validation", judges)) if count < FEWEST),
        None,
    )
    if lacking is None:
        return ""
    return (
        f"the {lacking[0]} split has {lacking[1]} questions of which it is known what answers them, and "
        f"{FEWEST} are the least; give your questions the column evidence, which names the document with the "
        "answer (docs/test-set.md)"
    )
