"""What came of each expectation, and what follows for the rows."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.prepare.validate_settings import Severity
from tasks.rows.records import Dropped, RowKind, Rows
from tasks.rows.reports import RowCount, row_counts

NAMED = 5  # rows of each expectation that was not met; the quarantine has them all


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One expectation and how it went.

    `rows` are the ids of the rows that failed it, of `judged` rows; `about_rows` is False where it judges
    the table as a whole, and then `observed` is what was seen. `expected` is the bound in words, `column`
    what of a row is held against it (empty: the rows are counted), and `seen` the least and the greatest
    number in the rows that failed, if it holds numbers. `key` is the setting that holds the bound, if one
    does, `detail` what else there is to say, and `remedy` what may be done beside mending the rows. `error`
    says why it could not run; empty if it ran.
    """

    table: RowKind
    name: str
    description: str
    column: str
    expected: str
    severity: Severity
    about_rows: bool
    passed: bool
    judged: int
    rows: tuple[str, ...]
    seen: tuple[float, float] | None
    observed: float | None
    key: str
    error: str
    detail: str = ""
    remedy: str = ""

    def told(self) -> str:
        """What went wrong, in a few words."""
        if self.error:
            return f"could not run: {self.error}"
        if self.about_rows:
            return f"{len(self.rows):,} of {self.judged:,} rows"
        seen = "there are no rows" if self.observed is None else f"it is {self.observed:.4g}"
        return f"{seen}: {self.detail}" if self.detail and not self.passed else seen


def named(finding: Finding, sources: Mapping[str, str]) -> tuple[list[tuple[str, str]], int]:
    """The first rows that failed, each by its id and its source, and how many more ids there are."""
    names = list(dict.fromkeys(finding.rows))
    return [(name, sources[name]) for name in names[:NAMED]], max(len(names) - NAMED, 0)


def sources_of(rows: Rows) -> dict[RowKind, dict[str, str]]:
    """Where each row comes from, by kind and id."""
    return {kind: {row.id: row.source for row in part} for kind, part in rows.by_kind().items()}


def quarantined(findings: Sequence[Finding], rows: Rows) -> list[Dropped]:
    """A line for each row that failed a critical expectation, with all its reasons."""
    reasons: dict[tuple[RowKind, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.severity == "critical":
            for name in dict.fromkeys(finding.rows):
                reasons[finding.table, name].append(finding)
    sources = sources_of(rows)
    return [
        Dropped(
            id=name,
            kind=kind,
            source=sources[kind][name],
            stage="validate",
            reason=", ".join(finding.name for finding in failed),
            detail=" ".join(finding.description for finding in failed),
        )
        for (kind, name), failed in sorted(reasons.items(), key=lambda item: item[0])
    ]


def counted(rows: Rows, held: Sequence[Dropped]) -> list[RowCount]:
    """The row accounting; rows that share an id are held back together, so each of them counts."""
    counts: list[RowCount] = []
    reasons = {(row.kind, row.id): row.reason for row in held}
    for kind, part in rows.by_kind().items():
        why = Counter(reasons[kind, row.id] for row in part if (kind, row.id) in reasons)
        counts += row_counts(kind, len(part), kept=len(part) - why.total(), quarantined=why)
    return counts
