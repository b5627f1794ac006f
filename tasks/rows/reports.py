"""What a stage says of its work: a JSON report with the row accounting and the figures."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from deploy.atomic import write_json
from deploy.files import read_json
from tasks.errors import SourceError
from tasks.rows.records import Dropped

Outcome = Literal["in", "kept", "dropped", "quarantined", "unused", "truncated", "trained"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCount:
    """How many rows of a kind met an outcome in a stage, and why.

    For each kind `in` is the sum of kept, dropped, quarantined, unused and trained: every row has one
    outcome. `truncated` tells, beside those, how many of the trained ones were cut.
    """

    kind: str
    outcome: Outcome
    count: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One stage's report. `figures` are its metrics by name; nested mappings are allowed."""

    stage: str
    rows: list[RowCount] = field(default_factory=list)
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whole(Report):
    """A report as it stands in a file, where nothing is left out."""

    rows: list[RowCount]
    figures: Mapping[str, Any]


def write_report(path: Path, report: Report) -> None:
    """Write a report; the same report gives the same bytes, so no clock stands in it."""
    write_json(path, asdict(report))


def read_report(path: Path) -> Report:
    """The report at `path`.

    Raises:
        SourceError: it is missing, or no report.
    """
    found = read_json(path, _Whole, error=SourceError, advice="run dvc repro")
    return Report(stage=found.stage, rows=found.rows, figures=found.figures)


def dropped_counts(dropped: Iterable[Dropped]) -> list[RowCount]:
    """Dropped rows counted by kind and reason, in a fixed order."""
    counts = Counter((row.kind, row.reason) for row in dropped)
    return [
        RowCount(kind=kind, outcome="dropped", reason=reason, count=count)
        for (kind, reason), count in sorted(counts.items())
    ]


def unbalanced(rows: Iterable[RowCount]) -> list[str]:
    """A sentence for each kind whose `in` is not the sum of its outcomes; empty when they do."""
    entered: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for row in rows:
        if row.outcome == "in":
            entered[row.kind] += row.count
        elif row.outcome != "truncated":
            left[row.kind] += row.count
    return [
        f"{kind}: {entered[kind]} rows came in, {left[kind]} are accounted for"
        for kind in sorted(entered.keys() | left.keys())
        if entered[kind] != left[kind]
    ]
