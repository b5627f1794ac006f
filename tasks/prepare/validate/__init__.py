"""Stage `validate`: what the data is expected to be, by Great Expectations; it judges, the gate decides."""

from dataclasses import replace
from pathlib import Path

from deploy.atomic import write_text
from tasks.machine.executors import executing
from tasks.machine.settings import ParallelSettings
from tasks.prepare.clean_settings import CleanSettings
from tasks.prepare.collect_settings import CollectSettings
from tasks.prepare.validate.drift import OTHER_VERSION, Comparison, compare
from tasks.prepare.validate.figures import figures
from tasks.prepare.validate.findings import counted
from tasks.prepare.validate.page import render
from tasks.prepare.validate.profile import Profile, made_with, read_profile, write_profile
from tasks.prepare.validate.profile import profile as profile_of
from tasks.prepare.validate.suites import check
from tasks.prepare.validate.tables import InFolder
from tasks.prepare.validate.words import PAGE
from tasks.prepare.validate_settings import DriftSettings, ValidateSettings
from tasks.rows.records import Dropped
from tasks.rows.reports import Report, write_report
from tasks.rows.tables import KINDS, write_table

FEW = 16  # shards that are judged before a process has its imports


def validate(
    rows: Path,
    accepted: Path | None,
    *,
    quarantine: Path,
    profile: Path,
    page: Path,
    report: Path,
    work: Path,
    settings: ValidateSettings,
    collect: CollectSettings,
    clean: CleanSettings,
    parallel: ParallelSettings,
) -> None:
    """Write the rows that must not go on, what they are like, a page of all expectations, and figures.

    `accepted` is the profile of the rows that the gate let pass last, where it has let any pass. `collect`
    and `clean` say whether those rows were made with the same settings.

    A run that was killed goes on with the shards that are missing in `work`.

    Raises:
        SourceError: `accepted` is damaged.
    """
    tables = InFolder(rows)
    sizes = {kind: tables.sizes(kind) for kind in KINDS}
    today = profile_of(tables, made_with=made_with(collect, clean))
    comparison = compared(accepted, today, settings.drift)
    write_profile(profile, replace(today, first=comparison.first))
    with executing(parallel, shards=sum(map(len, sizes.values())) // FEW) as executor:
        judged = check(tables, settings, comparison, executor=executor, work=work)
    findings = judged.findings
    held = write_table(quarantine, Dropped, judged.quarantine.lines())
    counts = counted({kind: sum(some) for kind, some in sizes.items()}, judged.quarantine.counts())
    write_report(report, Report(stage="validate", rows=counts, figures=figures(findings, comparison)))
    write_text(page, render(findings, counts, compared=comparison.told))
    failed = [finding for finding in findings if not finding.passed]
    met = len(findings) - len(failed)
    print(f"validate: {met} of {len(findings)} expectations met, {held} rows held back")
    print(f"validate: {comparison.told}")
    for finding in failed:
        print(f"validate: {finding.severity}: {finding.table}: {finding.description} ({finding.told()})")
    if failed:
        print(f"validate: {PAGE} shows what to do")


def compared(accepted: Path | None, today: Profile, settings: DriftSettings) -> Comparison:
    """What has changed since the rows whose profile lies at `accepted`.

    Raises:
        SourceError: it is damaged.
    """
    before = read_profile(accepted) if accepted else None
    if accepted and before is None:
        return Comparison(told=OTHER_VERSION, fingerprint=today.fingerprint)
    return compare(before, today, settings)
