"""MinHash signatures: 128 values of a text, each equal to another text's with the chance of their share.

Of each value one byte is kept. Two unlike ones are equal once in 256 times, which loosens a band of four by
next to nothing; a band is then a number of 32 bits, and a text has 128 bytes instead of 512.
"""

from typing import TYPE_CHECKING

from tasks.prepare.similar.shingles import Shingles, mixed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BANDS, ROWS = 32, 4
_BLOCK = 1 << 15  # values at once, so that they stay in the cache


def signatures(said: Shingles) -> "NDArray[np.uint32]":
    """A row for each text, a number for each band; zeros for a text that counts by nothing."""
    import numpy as np

    count = BANDS * ROWS
    numbers = mixed(np.arange(1, 2 * count + 1, dtype=np.uint64)).astype(np.uint32)
    factors, shifts = numbers[:count] | np.uint32(1), numbers[count:]
    found = np.zeros((len(said.sizes), count), np.uint8)
    places = np.flatnonzero(said.sizes)
    ends = said.ends[places]
    start = 0
    while start < len(places):
        first = int(said.starts[places[start]])
        stop = max(int(np.searchsorted(ends, first + _BLOCK, "right")), start + 1)
        values = said.values[first : ends[stop - 1]]
        starts = said.starts[places[start:stop]] - first
        hashed, least = np.empty_like(values), np.empty((count, stop - start), np.uint32)
        for number in range(count):
            np.multiply(values, factors[number], out=hashed)
            np.add(hashed, shifts[number], out=hashed)
            np.minimum.reduceat(hashed, starts, out=least[number])
        found[places[start:stop]] = least.T  # the last byte: the first ones of a least value are mostly zeros
        start = stop
    return found.view(np.uint32)


def shares(one: "NDArray[np.uint32]", other: "NDArray[np.uint32]") -> "NDArray[np.float64]":
    """How large a share the texts have in common, row by row, as far as signatures tell."""
    import numpy as np

    return (one.view(np.uint8) == other.view(np.uint8)).mean(axis=1)
