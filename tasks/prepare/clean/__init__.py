"""Stage `clean`: rows whose text is repaired, without those that are empty, repeated or in conflict."""

from collections import Counter
from pathlib import Path

from tasks.machine.executors import executing
from tasks.machine.settings import ParallelSettings
from tasks.prepare.clean.outputs import counted_in, write_dropped, write_kept, write_measured
from tasks.prepare.clean.plan import RAW
from tasks.prepare.clean.steps import STEPS
from tasks.prepare.clean.stored import Work, carry_out
from tasks.prepare.clean.tables import RECORDS
from tasks.prepare.clean.verdict import Verdict
from tasks.prepare.clean_settings import CleanSettings
from tasks.rows.records import Rows
from tasks.rows.reports import Report, RowCount, row_counts, write_report


def clean(
    raw: Path,
    *,
    kept: Path,
    dropped: Path,
    signals: Path,
    report: Path,
    work: Path,
    settings: CleanSettings,
    parallel: ParallelSettings,
) -> None:
    """Repair and filter the rows of `raw`; each row that goes no further is written with its reason.

    The signals of quality of the rows that are kept stand beside them. Finished shards are kept in `work`.
    """
    made = Work(raw.resolve(), work.resolve())
    entered = {kind: made.table(kind, RAW).sizes for kind in RECORDS}
    with executing(parallel, shards=max(map(len, entered.values()))) as executor:
        passes = carry_out([STEPS[name] for name in settings.steps], made, executor, settings)
    counts = counted_in(made, passes)
    rows: list[RowCount] = []
    for kind, stayed in write_kept(kept, made, passes).items():
        came = sum(entered[kind])
        print(f"clean: {stayed} of {came} {kind}s kept")
        rows += row_counts(kind, came, kept=stayed, dropped=counts.reasons[kind])
    write_dropped(dropped, made, passes)
    quantiles = write_measured(signals, made, passes)
    write_report(
        report,
        Report(
            stage="clean",
            rows=rows,
            figures={
                "repaired": dict(sorted(counts.repaired.items())),
                **{name: dict(sorted(some.items())) for name, some in sorted(counts.counts.items())},
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
