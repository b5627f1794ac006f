"""Some rows of tables as tables of their own, and several tables as one: nothing is copied."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tasks.prepare.validate.tables import Tables
from tasks.rows.records import Row, RowKind
from tasks.rows.tables import KINDS

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Selected:
    """The rows of tables that masks name: for each kind one for each shard."""

    tables: Tables
    masks: "Mapping[RowKind, Sequence[Mask]]"

    def sizes(self, kind: RowKind) -> Sequence[int]:
        """How many rows of each shard there are."""
        return [int(mask.sum()) for mask in self.masks[kind]]

    def arrow(
        self, kind: RowKind, columns: Sequence[str], numbers: Iterable[int] | None = None
    ) -> "Iterator[pa.Table]":
        """Some columns of all shards, or of those that have these numbers."""
        wanted = range(len(self.masks[kind])) if numbers is None else list(numbers)
        shards = self.tables.arrow(kind, columns, wanted)
        return (shard.filter(self.masks[kind][each]) for each, shard in zip(wanted, shards, strict=True))

    def shard(self, kind: RowKind, number: int, places: Sequence[int] | None = None) -> Sequence[Row]:
        """The rows of a shard, or those at some places in it."""
        import numpy as np

        there = np.flatnonzero(self.masks[kind][number])
        wanted = there if places is None else there[places]
        return self.tables.shard(kind, number, wanted.tolist())


@dataclass(frozen=True, slots=True)
class Several:
    """The shards of some tables, one table behind the other."""

    parts: Sequence[Tables]

    def sizes(self, kind: RowKind) -> Sequence[int]:
        """How many rows each shard has."""
        return [size for part in self.parts for size in part.sizes(kind)]

    def arrow(
        self, kind: RowKind, columns: Sequence[str], numbers: Iterable[int] | None = None
    ) -> "Iterator[pa.Table]":
        """Some columns of all shards, or of those that have these numbers."""
        places = self._places(kind)
        for number in range(len(places)) if numbers is None else numbers:
            part, own = places[number]
            yield from part.arrow(kind, columns, [own])

    def shard(self, kind: RowKind, number: int, places: Sequence[int] | None = None) -> Sequence[Row]:
        """The rows of a shard, or those at some places in it."""
        part, own = self._places(kind)[number]
        return part.shard(kind, own, places)

    def _places(self, kind: RowKind) -> list[tuple[Tables, int]]:
        """For each shard its table, and its number there."""
        return [(part, number) for part in self.parts for number in range(len(part.sizes(kind)))]


def selected(
    tables: Tables, columns: Sequence[str], wanted: "Callable[[RowKind, pa.Table], Mask]"
) -> Selected:
    """The rows that are `wanted`, which is asked shard by shard what it says of some columns."""
    return Selected(
        tables, {kind: [wanted(kind, each) for each in tables.arrow(kind, columns)] for kind in KINDS}
    )


def of_source(tables: Tables, name: str, *, others: bool = False) -> Selected:
    """The rows of one source, or those of all `others`."""

    def wanted(kind: RowKind, table: "pa.Table") -> Any:
        import pyarrow.compute as pc

        del kind
        return pc.equal(table["source"], name).to_numpy() != others

    return selected(tables, ["source"], wanted)
