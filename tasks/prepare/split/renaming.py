"""The rows whose group takes the name of another one, since the two were united."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.prepare.split.shards import Shard, Shards

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from tasks.rows.hashes import Hashes


@dataclass(frozen=True, slots=True, eq=False)
class Renamed:
    """The ascending `places` of these rows, and for each of them which of the `names` its group takes."""

    places: "NDArray[np.int64]"
    which: "NDArray[np.int64]"
    names: "pa.Array"

    @classmethod
    def of(cls, named_by: "NDArray[np.int64]", groups: "Hashes", shards: Shards) -> "Renamed":
        """The rows that are `named_by` a row, at its place, which has another of the `groups`."""
        import numpy as np

        places = np.flatnonzero(groups[named_by] != groups)
        naming, which = np.unique(named_by[places], return_inverse=True)
        return cls(places, which, shards.texts_at("group", naming))

    def within(self, shard: Shard) -> Iterator[tuple[int, str]]:
        """Those of a shard, by their places there, with the name of the group of each."""
        some = self._of(shard)
        return zip((self.places[some] - shard.start).tolist(), self._names(some).to_pylist(), strict=True)

    def table(self, shard: Shard) -> "pa.Table":
        """The table of a shard, in which these have the new names."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        table, some = shard.table(), self._of(shard)
        mask = np.zeros(shard.size, bool)
        mask[self.places[some] - shard.start] = True
        at = table.schema.get_field_index("group")
        groups = pc.replace_with_mask(table["group"], pa.array(mask), self._names(some))
        return table.set_column(at, table.schema.field(at), groups)

    def _of(self, shard: Shard) -> slice:
        import numpy as np

        start, end = np.searchsorted(self.places, [shard.start, shard.start + shard.size]).tolist()
        return slice(start, end)

    def _names(self, some: slice) -> "pa.Array":
        import pyarrow as pa

        return self.names.take(pa.array(self.which[some]))
