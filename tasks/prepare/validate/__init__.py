"""Stage `validate`: what the data is expected to be, by Great Expectations; it judges, the gate decides."""

from pathlib import Path

from deploy.atomic import write_text
from tasks.prepare.settings import ValidateSettings
from tasks.prepare.validate.findings import counted, figures, quarantined
from tasks.prepare.validate.page import render
from tasks.prepare.validate.suites import check
from tasks.prepare.validate.words import PAGE
from tasks.rows.records import Dropped
from tasks.rows.reports import Report, write_report
from tasks.rows.tables import read_rows, write_table


def validate(rows: Path, *, quarantine: Path, page: Path, report: Path, settings: ValidateSettings) -> None:
    """Write the rows that must not go on, a page of all expectations, and the figures for the gate."""
    everything = read_rows(rows)
    findings = check(everything, settings)
    held = quarantined(findings, everything)
    write_table(quarantine, Dropped, held)
    write_report(
        report,
        Report(stage="validate", rows=counted(everything, held), figures=figures(findings)),
    )
    write_text(page, render(findings, everything, held))
    failed = [finding for finding in findings if not finding.passed]
    met = len(findings) - len(failed)
    print(f"validate: {met} of {len(findings)} expectations met, {len(held)} rows held back")
    for finding in failed:
        print(f"validate: {finding.severity}: {finding.table}: {finding.description} ({finding.told()})")
    if failed:
        print(f"validate: {PAGE} shows what to do")
