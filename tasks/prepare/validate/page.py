"""The page of the expectations: each with what was found, and for those not met what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.pages import environment
from tasks.prepare.validate.findings import Finding
from tasks.prepare.validate.words import QUARANTINE, advice, bounded, failing, seen
from tasks.rows.records import RowKind
from tasks.rows.reports import RowCount, outcomes
from tasks.rows.tables import KINDS

TEMPLATES = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """What was expected of one table, how many rows it has, and how many of them are held back."""

    table: RowKind
    rows: int
    held: int
    findings: tuple[Finding, ...]


def render(findings: Sequence[Finding], counts: Sequence[RowCount], *, compared: str) -> str:
    """The whole page as HTML. Of a row it shows what the quarantine shows: its id and its source.

    `counts` is the row accounting, and `compared` says what the rows were compared with.
    """
    pages = environment(TEMPLATES)
    pages.filters |= {"seen": seen, "failing": failing, "advice": advice, "bounded": bounded}
    failed = [finding for finding in findings if not finding.passed]
    return pages.get_template("page.html").render(
        met=len(findings) - len(failed),
        of=len(findings),
        failed=[(finding, finding.examples, finding.more) for finding in failed],
        suites=suites(findings, counts),
        quarantine=QUARANTINE,
        compared=compared,
    )


def suites(findings: Sequence[Finding], counts: Sequence[RowCount]) -> list[Suite]:
    """The suites in their order."""
    met = outcomes(counts)
    return [
        Suite(
            table=table,
            rows=met[table]["in"],
            held=met[table]["quarantined"],
            findings=tuple(finding for finding in findings if finding.table == table),
        )
        for table in KINDS
    ]
