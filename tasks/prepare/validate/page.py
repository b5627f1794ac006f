"""The page of the expectations: each with what was found, and for those not met what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.pages import environment
from tasks.prepare.validate.findings import Finding, counted, named, sources_of
from tasks.prepare.validate.words import QUARANTINE, advice, bounded, failing, seen
from tasks.rows.records import Dropped, RowKind, Rows
from tasks.rows.reports import outcomes

TEMPLATES = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """What was expected of one table, how many rows it has, and how many of them are held back."""

    table: RowKind
    rows: int
    held: int
    findings: tuple[Finding, ...]


def render(findings: Sequence[Finding], rows: Rows, held: Sequence[Dropped], *, compared: str) -> str:
    """The whole page as HTML. Of a row it shows what the quarantine shows: its id and its source.

    `compared` says what the rows were compared with.
    """
    pages = environment(TEMPLATES)
    pages.filters |= {"seen": seen, "failing": failing, "advice": advice, "bounded": bounded}
    sources = sources_of(rows)
    failed = [finding for finding in findings if not finding.passed]
    return pages.get_template("page.html").render(
        met=len(findings) - len(failed),
        of=len(findings),
        failed=[(finding, *named(finding, sources[finding.table])) for finding in failed],
        suites=suites(findings, rows, held),
        quarantine=QUARANTINE,
        compared=compared,
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
