"""Rows of a store that a search leaves out, in the form that both indexes take."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deploy.knowledge.arrays import Positions


@dataclass(frozen=True, slots=True)
class Hidden:
    """Rows that are left out: `rows` are their positions, ascending; `shown` has a bit for each row.

    A bit is 1 where the row may be found, the first row's is the lowest of the first byte. Made once for many
    searches, so that each costs the same however much is hidden.
    """

    rows: Positions
    shown: NDArray[np.uint8]

    @classmethod
    def of(cls, ranges: Iterable[tuple[int, int]], *, total: int, beside: "Hidden | None" = None) -> "Hidden":
        """The rows in `ranges` (first, after last), out of `total`, and those that are left out `beside`."""
        shown = np.ones(total, dtype=np.bool_)
        if beside is not None:
            shown[beside.rows] = False
        for first, end in ranges:
            shown[first:end] = False
        return cls(np.flatnonzero(~shown), np.packbits(shown, bitorder="little"))
