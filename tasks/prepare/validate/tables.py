"""The tables that are judged, shard by shard: as they lie in a folder, or in memory where they are few."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tasks.rows.arrow import arrow_of
from tasks.rows.places import by_shard
from tasks.rows.records import Row, RowKind, Rows
from tasks.rows.tables import FILES, KINDS, read_arrow, rows_in, shard_sizes

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


class Tables(Protocol):
    """The rows of all kinds; a row's place counts through the shards of its kind."""

    def sizes(self, kind: RowKind) -> Sequence[int]:
        """How many rows each shard has."""
        ...

    def arrow(
        self, kind: RowKind, columns: Sequence[str], numbers: Iterable[int] | None = None
    ) -> "Iterator[pa.Table]":
        """Some columns of all shards, or of those that have these numbers."""
        ...

    def shard(self, kind: RowKind, number: int, places: Sequence[int] | None = None) -> Sequence[Row]:
        """The rows of a shard, or those at some places in it."""
        ...


@dataclass(frozen=True, slots=True)
class InFolder:
    """The tables of a folder that `write_rows` wrote; other processes can be told of them."""

    folder: Path

    def sizes(self, kind: RowKind) -> Sequence[int]:
        """How many rows each shard has."""
        return shard_sizes(self._path(kind), KINDS[kind])

    def arrow(
        self, kind: RowKind, columns: Sequence[str], numbers: Iterable[int] | None = None
    ) -> "Iterator[pa.Table]":
        """Some columns of all shards, or of those that have these numbers."""
        return read_arrow(self._path(kind), KINDS[kind], numbers, columns=columns)

    def shard(self, kind: RowKind, number: int, places: Sequence[int] | None = None) -> Sequence[Row]:
        """The rows of a shard, or those at some places in it."""
        import pyarrow as pa

        (table,) = read_arrow(self._path(kind), KINDS[kind], [number])
        return rows_in(table if places is None else table.take(pa.array(places, pa.int64())), kind)

    def _path(self, kind: RowKind) -> Path:
        return self.folder / FILES[KINDS[kind]]


@dataclass(frozen=True, slots=True)
class InMemory:
    """Rows as one shard of each kind."""

    rows: Rows

    def sizes(self, kind: RowKind) -> Sequence[int]:
        """How many rows there are."""
        return [len(self.rows.by_kind()[kind])]

    def arrow(
        self, kind: RowKind, columns: Sequence[str], numbers: Iterable[int] | None = None
    ) -> "Iterator[pa.Table]":
        """Some columns of the rows."""
        for _ in [0] if numbers is None else numbers:
            yield arrow_of(KINDS[kind], self.rows.by_kind()[kind]).select(columns)

    def shard(
        self,
        kind: RowKind,
        number: int,  # noqa: ARG002  # there is but one
        places: Sequence[int] | None = None,
    ) -> Sequence[Row]:
        """The rows, or those at some places."""
        rows = self.rows.by_kind()[kind]
        return rows if places is None else [rows[place] for place in places]


def names_at(tables: Tables, kind: RowKind, places: "NDArray[Any]") -> "pa.Table":
    """The ids and the sources of the rows at some places, which go up."""
    import pyarrow as pa

    shards = list(by_shard(places, tables.sizes(kind)))
    names = tables.arrow(kind, ["id", "source"], [number for number, _ in shards])
    return pa.concat_tables(table.take(within) for table, (_, within) in zip(names, shards, strict=True))
