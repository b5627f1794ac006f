"""Stage `clean`: rows whose text is repaired, without those that are empty, repeated or in conflict."""

from collections import Counter
from pathlib import Path

from tasks.prepare.clean.steps import clean_rows
from tasks.prepare.clean.verdict import Verdict
from tasks.prepare.clean_settings import CleanSettings
from tasks.prepare.signals.table import write_signals
from tasks.rows.records import Dropped, Rows
from tasks.rows.reports import Report, RowCount, row_counts, write_report
from tasks.rows.tables import read_rows, write_rows, write_table


def clean(
    raw: Path, *, kept: Path, dropped: Path, signals: Path, report: Path, settings: CleanSettings
) -> None:
    """Repair and filter the rows of `raw`; each row that goes no further is written with its reason.

    The signals of quality of the rows that are kept stand beside them.
    """
    rows = read_rows(raw)
    result = clean_rows(rows, settings)
    write_rows(kept, result.rows)
    write_table(dropped, Dropped, result.dropped)
    quantiles = write_signals(signals, result.rows)
    for kind, before in rows.by_kind().items():
        print(f"clean: {len(result.rows.by_kind()[kind])} of {len(before)} {kind}s kept")
    write_report(
        report,
        Report(
            stage="clean",
            rows=counted(rows, result),
            figures={
                "repaired": dict(sorted(result.repaired.items())),
                **{name: dict(sorted(counts.items())) for name, counts in sorted(result.counts.items())},
                "signals": quantiles,
            },
        ),
    )


def counted(rows: Rows, result: Verdict) -> list[RowCount]:
    """The row accounting of what came in and what came of it."""
    counts: list[RowCount] = []
    after = result.rows.by_kind()
    for kind, before in rows.by_kind().items():
        reasons = Counter(row.reason for row in result.dropped if row.kind == kind)
        counts += row_counts(kind, len(before), kept=len(after[kind]), dropped=reasons)
    return counts
