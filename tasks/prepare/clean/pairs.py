"""Pairs of near rows: their places as an array, their rows, and which of them stands for the other."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from tasks.prepare.clean.tables import Table
from tasks.prepare.similar.pairs import Pair
from tasks.rows.records import Row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Places = NDArray[np.int64]

_BLOCK = 1 << 14  # pairs whose rows are in memory at once


def ends_of(pairs: Sequence[Pair]) -> "Places":
    """The places of the rows of each pair, [pairs, 2]."""
    import numpy as np

    return np.array([(pair.earlier, pair.later) for pair in pairs], np.int64).reshape(-1, 2)


def with_rows(
    table: Table, pairs: Iterable[Pair], places: "Places | None" = None
) -> Iterator[tuple[Pair, Row, Row]]:
    """Pairs with their rows; `places` says where the texts that were compared stand among the rows."""
    import numpy as np

    ahead = iter(sorted(pairs, key=lambda pair: (pair.later, pair.earlier)))
    while some := list(islice(ahead, _BLOCK)):
        ends = ends_of(some) if places is None else places[ends_of(some)]
        wanted = np.unique(ends)
        rows = dict(zip(wanted.tolist(), table.rows_at(wanted), strict=True))
        for pair, (one, other) in zip(some, ends.tolist(), strict=True):
            yield pair, rows[one], rows[other]


def standing(pairs: Iterable[Pair]) -> dict[int, Pair]:
    """For the place of each row that goes the pair with the row that stands for it, which stays itself."""
    gone: dict[int, Pair] = {}
    for pair in sorted(pairs, key=lambda pair: (pair.later, pair.earlier)):
        if pair.earlier not in gone and pair.later not in gone:
            gone[pair.later] = pair
    return gone
