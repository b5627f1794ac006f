"""Places of rows that count through all shards of a table: which shard each is in, and where within it."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Places = NDArray[np.int64]


def starts(sizes: Iterable[int]) -> "Places":
    """The place of the first row of each shard, and behind them the number of all rows."""
    import numpy as np

    return np.cumsum([0, *sizes], dtype=np.int64)


def by_shard(places: "Places", sizes: Iterable[int]) -> Iterator[tuple[int, "Places"]]:
    """For each shard that some of the ascending places are in: its number, and the places within it."""
    import numpy as np

    first = starts(sizes)
    cuts = np.searchsorted(places, first).tolist()
    for number, (start, end) in enumerate(pairwise(cuts)):
        if start < end:
            yield number, places[start:end] - first[number]
