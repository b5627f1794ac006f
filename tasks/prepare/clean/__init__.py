"""Stage `clean`: rows whose text is repaired, without those that are empty, repeated or in conflict."""

from pathlib import Path

from tasks.prepare.clean.steps import clean_rows
from tasks.prepare.settings import CleanSettings
from tasks.rows.records import Dropped
from tasks.rows.reports import Report, RowCount, dropped_counts, write_report
from tasks.rows.tables import read_rows, write_rows, write_table

__all__ = ["clean"]


def clean(raw: Path, *, kept: Path, dropped: Path, report: Path, settings: CleanSettings) -> None:
    """Repair and filter the rows of `raw`; each row that goes no further is written with its reason."""
    rows = read_rows(raw)
    result = clean_rows(rows, settings)
    write_rows(kept, result.rows)
    write_table(dropped, Dropped, result.dropped)
    counts: list[RowCount] = []
    for kind, before, after in (
        ("example", rows.examples, result.rows.examples),
        ("preference", rows.preferences, result.rows.preferences),
        ("document", rows.documents, result.rows.documents),
    ):
        counts.append(RowCount(kind=kind, outcome="in", count=len(before)))
        counts.append(RowCount(kind=kind, outcome="kept", count=len(after)))
        print(f"clean: {len(after)} of {len(before)} {kind}s kept")
    write_report(
        report,
        Report(
            stage="clean",
            rows=counts + dropped_counts(result.dropped),
            figures={"repaired": dict(sorted(result.repaired.items()))},
        ),
    )
