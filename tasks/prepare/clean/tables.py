"""The rows of one kind between two passes of `clean`, by shards: in memory, or in Parquet files."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.rows.places import by_shard
from tasks.rows.records import Row, RowKind
from tasks.rows.tables import KINDS, read_arrow, rows_in

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


class Table(ABC):
    """Rows of one kind; a row's place counts through the shards, which have `sizes` rows."""

    sizes: Sequence[int]

    @abstractmethod
    def shard(self, number: int) -> Sequence[Row]:
        """The rows of a shard."""

    @abstractmethod
    def some(self, number: int, places: "NDArray[np.int64]") -> Sequence[Row]:
        """Those rows of a shard that stand at some places within it."""

    @abstractmethod
    def ids(self, number: int) -> Sequence[str]:
        """The ids of the rows of a shard."""

    def rows_at(self, places: "NDArray[np.int64]") -> Iterator[Row]:
        """The rows at ascending places; no more than a shard of them is in memory."""
        for number, within in by_shard(places, self.sizes):
            yield from self.some(number, within)

    def ids_at(self, places: "NDArray[np.int64]") -> list[str]:
        """The ids of the rows at places in any order."""
        import numpy as np

        once, numbers = np.unique(places, return_inverse=True)
        found: list[str] = []
        for number, within in by_shard(once, self.sizes):
            ids = self.ids(number)
            found += [ids[place] for place in within.tolist()]
        return [found[number] for number in numbers.tolist()]


@dataclass(frozen=True, slots=True)
class HeldTable(Table):
    """Rows that are in memory, as one shard."""

    rows: Sequence[Row]

    @property
    def sizes(self) -> Sequence[int]:  # type: ignore[override]
        """How many rows there are."""
        return [len(self.rows)]

    def shard(self, number: int) -> Sequence[Row]:
        """All rows."""
        del number
        return self.rows

    def some(self, number: int, places: "NDArray[np.int64]") -> Sequence[Row]:
        """The rows at some places."""
        del number
        return [self.rows[place] for place in places.tolist()]

    def ids(self, number: int) -> Sequence[str]:
        """The ids of all rows."""
        del number
        return [row.id for row in self.rows]


@dataclass(frozen=True, slots=True)
class StoredShard:
    """Where the rows of a shard lie: in a row group of a file, or in all of it.

    `kept` is a file with the places of those that are left; without it they are all.
    """

    path: Path
    group: int | None = None
    kept: Path | None = None

    def places(self) -> "NDArray[np.int64] | None":
        """The places within the file."""
        import numpy as np

        return None if self.kept is None else np.load(self.kept, allow_pickle=False)


@dataclass(frozen=True, slots=True)
class StoredTable(Table):
    """Rows in files, which are read when they are asked for."""

    kind: RowKind
    shards: Sequence[StoredShard]
    sizes: Sequence[int]

    def shard(self, number: int) -> Sequence[Row]:
        """The rows of a shard."""
        return rows_in(self.arrow(number), self.kind)

    def some(self, number: int, places: "NDArray[np.int64]") -> Sequence[Row]:
        """Some rows of a shard; of the others no object is made."""
        return rows_in(self.arrow(number).take(places), self.kind)

    def ids(self, number: int) -> Sequence[str]:
        """The ids of the rows of a shard, which alone are read."""
        ids: list[str] = self.arrow(number, ["id"])["id"].to_pylist()
        return ids

    def arrow(self, number: int, columns: list[str] | None = None) -> "pa.Table":
        """The rows of a shard, or some of their columns, without an object for each."""
        import pyarrow as pa

        shard = self.shards[number]
        groups = None if shard.group is None else [shard.group]
        rows = pa.concat_tables(read_arrow(shard.path, KINDS[self.kind], groups, columns=columns))
        return rows if (places := shard.places()) is None else rows.take(places)
