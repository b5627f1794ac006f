"""What a stage says of its work: a JSON report with the row accounting and the figures."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from deploy.atomic import write_json
from deploy.files import read_json
from tasks.errors import SourceError

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


def row_counts(
    kind: str,
    entered: int,
    *,
    kept: int | None = None,
    trained: int | None = None,
    dropped: Mapping[str, int] | None = None,
    quarantined: Mapping[str, int] | None = None,
    unused: Mapping[str, int] | None = None,
    truncated: Mapping[str, int] | None = None,
) -> list[RowCount]:
    """What became of the rows of a kind: those that went on or were trained on, and the others by reason."""
    through: dict[Outcome, int | None] = {"in": entered, "kept": kept, "trained": trained}
    lost: dict[Outcome, Mapping[str, int] | None] = {
        "dropped": dropped,
        "quarantined": quarantined,
        "unused": unused,
        "truncated": truncated,
    }
    met = [(name, "", count) for name, count in through.items() if count is not None]
    for outcome, reasons in lost.items():
        met += [(outcome, reason, count) for reason, count in sorted((reasons or {}).items()) if count]
    return [RowCount(kind=kind, outcome=name, count=count, reason=reason) for name, reason, count in met]


def outcomes(rows: Iterable[RowCount]) -> dict[str, Counter[str]]:
    """How many rows of each kind met each outcome."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        found[row.kind][row.outcome] += row.count
    return found


def unbalanced(rows: Iterable[RowCount]) -> list[str]:
    """A sentence for each kind whose `in` is not the sum of its outcomes; empty when they do."""
    return [
        f"{kind}: {met['in']} rows came in, {left} are accounted for"
        for kind, met in sorted(outcomes(rows).items())
        if met["in"] != (left := met.total() - met["in"] - met["truncated"])
    ]
