"""The page of the expectations: each with what was found, and for those not met what to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.pages import environment
from tasks.prepare.validate.findings import Finding, counted
from tasks.prepare.validate.words import QUARANTINE, advice, failing, seen
from tasks.rows.records import Dropped, RowKind, Rows
from tasks.rows.reports import outcomes

TEMPLATES = Path(__file__).parent
NAMED = 5  # rows of each expectation that was not met; the quarantine has them all
LONGEST = 120  # characters of what comes from the data: an id, a source, what an error says


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """What was expected of one table, how many rows it has, and how many of them are held back."""

    table: RowKind
    rows: int
    held: int
    findings: tuple[Finding, ...]


def render(findings: Sequence[Finding], rows: Rows, held: Sequence[Dropped]) -> str:
    """The whole page as HTML. Of a row it shows what the quarantine shows: its id and its source."""
    pages = environment(TEMPLATES)
    pages.filters |= {"seen": seen, "failing": failing, "advice": advice, "bounded": bounded}
    sources = {kind: {row.id: row.source for row in part} for kind, part in rows.by_kind().items()}
    failed = [finding for finding in findings if not finding.passed]
    return pages.get_template("page.html").render(
        met=len(findings) - len(failed),
        of=len(findings),
        failed=[(finding, *examples(finding, sources[finding.table])) for finding in failed],
        suites=suites(findings, rows, held),
        quarantine=QUARANTINE,
    )


def suites(findings: Sequence[Finding], rows: Rows, held: Sequence[Dropped]) -> list[Suite]:
    """The suites in their order."""
    met = outcomes(counted(rows, held))
    return [
        Suite(
            table=table,
            rows=met[table]["in"],
            held=met[table]["quarantined"],
            findings=tuple(finding for finding in findings if finding.table == table),
        )
        for table in rows.by_kind()
    ]


def examples(finding: Finding, sources: Mapping[str, str]) -> tuple[list[tuple[str, str]], int]:
    """The first rows that failed, each by its id and its source, and how many more ids there are."""
    names = list(dict.fromkeys(finding.rows))
    return [(name, sources[name]) for name in names[:NAMED]], max(len(names) - NAMED, 0)


def bounded(text: str) -> str:
    """`text` on one line, cut where it is very long."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}\u2026"
