"""All that is asked, shard by shard: examples first, then preferences; a row's place counts through both."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.prepare.similar.rows import Asked
from tasks.rows.arrow import rows_of
from tasks.rows.places import by_shard
from tasks.rows.records import Example, Preference, RowKind
from tasks.rows.tables import FILES, read_arrow, shard_sizes

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Places = NDArray[np.int64]
    Mask = NDArray[np.bool_]

AskedKind = type[Example] | type[Preference]
KINDS: dict[RowKind, AskedKind] = {"example": Example, "preference": Preference}


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard of a kind's table, by its number there; its rows have the places from `start` on."""

    path: Path
    row_kind: RowKind
    number: int
    start: int
    size: int

    @property
    def kind(self) -> AskedKind:
        """What its rows are."""
        return KINDS[self.row_kind]

    @property
    def places(self) -> slice:
        """The places of its rows."""
        return slice(self.start, self.start + self.size)

    def table(self, *columns: str) -> "pa.Table":
        """Its rows as an Arrow table, of all columns or of some."""
        (found,) = read_arrow(self.path, self.kind, [self.number], columns=columns or None)
        return found

    def rows(self, which: "Mask | Places | None" = None) -> Sequence[Asked]:
        """Its rows, or some of them: those of a mask, or of places within the shard."""
        table = self.table()
        if which is not None:
            table = table.filter(which) if which.dtype == bool else table.take(which)
        return rows_of(Example, table) if self.kind is Example else rows_of(Preference, table)


class Shards(Sequence[Shard]):
    """The shards of the examples and the preferences in a folder."""

    def __init__(self, folder: Path) -> None:
        self._shards: list[Shard] = []
        self.rows = 0
        start = 0
        for name, kind in KINDS.items():
            for number, size in enumerate(shard_sizes(folder / FILES[kind], kind)):
                self._shards.append(Shard(folder / FILES[kind], name, number, start, size))
                start += size

    def __getitem__(self, number: int) -> Shard:  # type: ignore[override]
        return self._shards[number]

    def __len__(self) -> int:
        return len(self._shards)

    def of(self, kind: AskedKind) -> list[Shard]:
        """The shards of one kind."""
        return [shard for shard in self._shards if shard.kind is kind]

    def holding(self, place: int) -> Shard:
        """The shard that has a place."""
        return self._shards[bisect_right(self._shards, place, key=lambda shard: shard.start) - 1]

    def rows_at(self, places: "Places") -> Iterator[Asked]:
        """The rows at ascending places."""
        for shard, some in self._split(places):
            yield from shard.rows(some)

    def texts_at(self, column: str, places: "Places") -> "pa.Array":
        """What stands in a column of text at ascending places."""
        import pyarrow as pa

        found = [shard.table(column)[column].take(some) for shard, some in self._split(places)]
        chunks = [chunk for each in found for chunk in each.chunks]
        return pa.concat_arrays([pa.array([], pa.string()), *chunks])

    def _split(self, places: "Places") -> Iterator[tuple[Shard, "Places"]]:
        sizes = [shard.size for shard in self._shards]
        return ((self._shards[number], some) for number, some in by_shard(places, sizes))
