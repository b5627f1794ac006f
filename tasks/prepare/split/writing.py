"""The tables of the splits, and that of the rows which stand in none: written shard by shard."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.prepare.split.notes import OWN
from tasks.prepare.split.placing import Placing
from tasks.prepare.split.shards import KINDS, AskedKind
from tasks.prepare.split.sides import SPLITS, SplitName
from tasks.prepare.split.tallies import Tally
from tasks.rows.arrow import rows_of, schema
from tasks.rows.records import Dropped, Example, RowKind
from tasks.rows.tables import FILES, read_arrow, write_arrow, write_table

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

APART = "held out, and not in the split that asks it"


def write_splits(folder: Path, placing: Placing) -> dict[SplitName, Tally]:
    """Write the rows of each split, in their order; the user's own test sets stand behind all others."""
    tallies = {name: Tally() for name in SPLITS}
    own = placing.standing(OWN)
    for side, (name, tally) in enumerate(tallies.items()):
        here = placing.sides == side
        for kind in KINDS.values():
            tables = _tables(placing, kind, (here & ~own, here & own))
            write_arrow(folder / name / FILES[kind], schema(kind), tally.counting(kind, tables))
        print(f"split: {name} has {tally.examples} examples, {tally.preferences} preferences")
    return tallies


def write_unused(path: Path, placing: Placing) -> Counter[tuple[RowKind, str]]:
    """Write each row that stands in no split, and why; gives how many there are of a kind for a reason."""
    counts = Counter[tuple[RowKind, str]]()

    def rows() -> Iterator[Dropped]:
        for row in _unused(placing):
            counts[row.kind, row.reason] += 1
            yield row

    write_table(path, Dropped, rows())
    return counts


def held_out_in(folder: Path) -> Iterator[Example]:
    """The examples of a split that was written which are held out under a name."""
    import pyarrow.compute as pc

    for table in read_arrow(folder / FILES[Example], Example):
        yield from rows_of(Example, table.filter(pc.not_equal(table["held_out"], "")))


def _tables(placing: Placing, kind: AskedKind, each: "tuple[NDArray[np.bool_], ...]") -> "Iterator[pa.Table]":
    for which in each:
        for shard in placing.shards.of(kind):
            if (mask := which[shard.places]).any():
                yield placing.renamed.table(shard).filter(mask)


def _unused(placing: Placing) -> Iterator[Dropped]:
    import numpy as np

    unused = placing.unused()
    for shard in placing.shards:
        if len(some := np.flatnonzero(unused[shard.places])):
            table = shard.table("id", "source", "held_out").take(some)
            told = zip(*(column.to_pylist() for column in table.columns), strict=True)
            for place, (name, source, held_out) in zip((shard.start + some).tolist(), told, strict=True):
                reason, detail = placing.causes.get(place, (APART, held_out))
                yield Dropped(
                    id=name, kind=shard.row_kind, source=source, stage="split", reason=reason, detail=detail
                )
