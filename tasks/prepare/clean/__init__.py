"""Stage `clean`: rows whose text is repaired, without those that are empty, repeated or in conflict."""

from collections import Counter
from pathlib import Path

from tasks.prepare.clean.steps import clean_rows
from tasks.prepare.settings import CleanSettings
from tasks.rows.records import Dropped
from tasks.rows.reports import Report, RowCount, row_counts, write_report
from tasks.rows.tables import read_rows, write_rows, write_table


def clean(raw: Path, *, kept: Path, dropped: Path, report: Path, settings: CleanSettings) -> None:
    """Repair and filter the rows of `raw`; each row that goes no further is written with its reason."""
    rows = read_rows(raw)
    result = clean_rows(rows, settings)
    write_rows(kept, result.rows)
    write_table(dropped, Dropped, result.dropped)
    counts: list[RowCount] = []
    before, after = rows.by_kind(), result.rows.by_kind()
    for kind in before:
        reasons = Counter(row.reason for row in result.dropped if row.kind == kind)
        counts += row_counts(kind, len(before[kind]), kept=len(after[kind]), dropped=reasons)
        print(f"clean: {len(after[kind])} of {len(before[kind])} {kind}s kept")
    write_report(
        report,
        Report(
            stage="clean",
            rows=counts,
            figures={"repaired": dict(sorted(result.repaired.items()))},
        ),
    )
