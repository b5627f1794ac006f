"""Where the rows of a table are cut into shards: at so many rows, or so many bytes of text.

A shard is a row group of Parquet: what is read, worked on and written at once. Where it ends follows from the
rows alone, however they come.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

ROWS_A_SHARD = 16_384
# As objects of Python, on which several processes work, they take several times that. A longer row is a shard
# of its own.
BYTES_A_SHARD = 64 * 2**20


class ShardWriter:
    """Takes rows in tables of any size, and gives `write` one shard at a time; `count` says how many came.

    Of no rows at all it gives `empty`, which is a table too.
    """

    def __init__(self, empty: "pa.Table", write: "Callable[[pa.Table], object]") -> None:
        self._empty, self._write = empty, write
        self._parts: list[pa.Table] = []
        self._rows = self._bytes = self.count = 0

    def add(self, table: "pa.Table") -> None:
        """Take rows."""
        import numpy as np

        ends = np.cumsum(text_bytes(table))
        start = 0
        while start < len(table):
            before = int(ends[start - 1]) if start else 0
            fit = int(np.searchsorted(ends, before + BYTES_A_SHARD - self._bytes, side="right"))
            end = min(fit, start + ROWS_A_SHARD - self._rows)
            if end <= start and self._rows:
                self._flush()
                continue
            end = max(end, start + 1)
            self._parts.append(table.slice(start, end - start))
            self._rows += end - start
            self._bytes += int(ends[end - 1]) - before
            start = end
        self.count += len(table)

    def end(self) -> None:
        """Write what is left."""
        if self._rows or not self.count:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        self._write(pa.concat_tables([*self._parts, self._empty]).combine_chunks())
        self._parts = []
        self._rows = self._bytes = 0


def text_bytes(table: "pa.Table") -> "NDArray[np.int64]":
    """How many bytes of text each row has, as UTF-8."""
    import numpy as np

    found = np.zeros(len(table), dtype=np.int64)
    for column in table.combine_chunks().columns:
        found += np.concatenate([np.zeros(0, dtype=np.int64), *map(_bytes, column.chunks)])
    return found


def _bytes(values: "pa.Array") -> Any:
    """How many bytes of text stand in each value."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_string(values.type):
        return pc.binary_length(values).to_numpy(zero_copy_only=False)
    if pa.types.is_struct(values.type):
        return sum(map(_bytes, values.flatten()), np.zeros(len(values), dtype=np.int64))
    if pa.types.is_list(values.type) or pa.types.is_map(values.type):
        up_to = np.concatenate([[0], np.cumsum(_bytes(values.values))])
        return np.diff(up_to[values.offsets.to_numpy()])
    return np.zeros(len(values), dtype=np.int64)
