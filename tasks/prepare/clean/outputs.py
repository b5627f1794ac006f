"""What has become of all shards, as the files and the figures that the stage `clean` leaves."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.prepare.clean.passes import add_counts
from tasks.prepare.clean.plan import Pass
from tasks.prepare.clean.stored import DROPPED, SIGNALS, Work
from tasks.prepare.clean_settings import CleanSettings
from tasks.prepare.signals.table import Quantiles, write_signals
from tasks.rows.arrow import schema
from tasks.rows.records import Dropped, RowKind
from tasks.rows.tables import FILES, KINDS, write_arrow

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows went, by kind and reason, and what else was counted in all passes."""

    reasons: Mapping[RowKind, Counter[str]] = field(
        default_factory=lambda: {kind: Counter() for kind in KINDS}
    )
    repaired: Counter[str] = field(default_factory=Counter)
    counts: dict[str, Counter[str]] = field(default_factory=dict)


def counted_in(work: Work, passes: Sequence[Pass]) -> Counts:
    """The counts of all shards together."""
    found = Counts()
    for each in passes:
        for summary in work.summaries(each.number):
            found.reasons[each.kind].update(summary.reasons)
            found.repaired.update(summary.repaired)
            add_counts(found.counts, summary.counts)
    return found


def write_kept(folder: Path, work: Work, passes: Sequence[Pass]) -> dict[RowKind, int]:
    """Write the rows that stay, and count them by kind."""
    last = {each.kind: each for each in passes if each.part is None}
    folder.mkdir(parents=True, exist_ok=True)
    kept: dict[RowKind, int] = {}
    for kind, record in KINDS.items():
        table = work.table(kind, last[kind].gives)
        shards = map(table.arrow, range(len(table.sizes)))
        kept[kind] = write_arrow(folder / FILES[record], schema(record), shards)
    return kept


def write_dropped(path: Path, work: Work, passes: Sequence[Pass]) -> None:
    """Write the rows that went: those of a step behind those of the one before, each kind in its order."""
    write_arrow(path, schema(Dropped), chain.from_iterable(_dropped(work, each) for each in passes))


def write_measured(path: Path, work: Work, passes: Sequence[Pass], settings: CleanSettings) -> Quantiles:
    """Write the signals of the rows that stay, and give their quantiles; none where none are measured."""
    last = {each.kind: each for each in passes if each.part is None}
    shards = (shard / SIGNALS for kind in KINDS for shard in work.shards(last[kind].number))
    return write_signals(path, map(_whole, shards) if settings.measures else ())


def _dropped(work: Work, over: Pass) -> "Iterator[pa.Table]":
    counts = [summary.dropped for summary in work.summaries(over.number)]
    for done in range(len(over.does)):
        for shard, some in zip(work.shards(over.number), counts, strict=True):
            if some[done]:
                yield _whole(shard / DROPPED).slice(sum(some[:done]), some[done])


def _whole(path: Path) -> "pa.Table":
    import pyarrow.parquet as pq

    return pq.read_table(path)
