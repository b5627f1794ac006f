"""Stage `clean`: rows whose text is repaired, without those that are empty, repeated or in conflict."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tasks.machine.executors import executing
from tasks.machine.settings import ParallelSettings
from tasks.prepare.clean.outputs import counted_in, write_dropped, write_kept, write_measured
from tasks.prepare.clean.plan import RAW
from tasks.prepare.clean.steps import STEPS
from tasks.prepare.clean.stored import Work, carry_out
from tasks.prepare.clean_settings import CleanSettings
from tasks.rows.records import RowKind
from tasks.rows.reports import Report, RowCount, row_counts, write_report
from tasks.rows.tables import KINDS


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

    The signals of quality of the rows that are kept stand beside them, if a step measures them. Finished
    shards are kept in `work`.
    """
    made = Work(raw.resolve(), work.resolve())
    entered = {kind: made.table(kind, RAW).sizes for kind in KINDS}
    with executing(parallel, shards=max(map(len, entered.values()))) as executor:
        passes = carry_out([STEPS[name] for name in settings.steps], made, executor, settings)
    counts = counted_in(made, passes)
    came, stayed = {kind: sum(sizes) for kind, sizes in entered.items()}, write_kept(kept, made, passes)
    for kind, count in stayed.items():
        print(f"clean: {count} of {came[kind]} {kind}s kept")
    write_dropped(dropped, made, passes)
    quantiles = write_measured(signals, made, passes, settings)
    write_report(
        report,
        Report(
            stage="clean",
            rows=counted(came, stayed, counts.reasons),
            figures={
                "repaired": dict(sorted(counts.repaired.items())),
                **{name: dict(sorted(some.items())) for name, some in sorted(counts.counts.items())},
                "signals": quantiles,
            },
        ),
    )


def counted(
    came: Mapping[RowKind, int], stayed: Mapping[RowKind, int], reasons: Mapping[RowKind, Counter[str]]
) -> list[RowCount]:
    """The row accounting of how many rows came in and stayed, and why the others went, by kind."""
    return [
        row
        for kind, count in came.items()
        for row in row_counts(kind, count, kept=stayed[kind], dropped=reasons[kind])
    ]
