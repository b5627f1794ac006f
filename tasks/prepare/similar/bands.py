"""Who may be near to whom: the texts that meet in a band of their signatures, band by band.

In 32 bands of four values two texts that share 0.6 of their hashes meet with a chance of 0.99, at 0.5 with
0.87. The exact share then has to decide, since bands this loose alone would call a third too many near;
stricter ones miss half of the texts with a tenth of their words changed.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tasks.prepare.similar.arrays import Stacked
from tasks.prepare.similar.signatures import BANDS, shares

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Places = NDArray[np.int64]

_WINDOW = 64  # of those that meet in a band, each is held against so many
_MEETINGS = 1 << 16  # pairs at once, so that memory stays bounded
_HASHES = 1 << 21  # of the sets of all pairs that are given at once
_SLACK = 0.2  # the share by MinHash is off by more than this once in some 100,000 pairs


def candidates(
    signed: Stacked, sizes: "NDArray[np.uint32]", *, near: float
) -> Iterator[tuple["Places", "Places"]]:
    """Pairs of places that may be near, lower and higher ones, in blocks; some come several times.

    `sizes` says how many hashes each set has.
    """
    import numpy as np

    compared = np.zeros(len(sizes), np.uint32)
    for band in range(BANDS) if len(sizes) else ():
        for met in _in_blocks(_meetings(signed, band, compared)):
            few, many = (choose(*(sizes[ends] for ends in met)) for choose in (np.minimum, np.maximum))
            one, other = (ends[few >= near * many] for ends in met)
            if not len(one):
                continue
            found, numbers = np.unique(np.concatenate([one, other]), return_inverse=True)
            here, there = np.split(signed.rows(found)[numbers], 2)
            equal = here == there
            held = compared[one, None] >> np.arange(band, dtype=np.uint32) & 1 == 1
            before = (equal[:, :band] & held).any(axis=1)
            if band:  # where all is equal they met in the first band, next to each other in any crowd
                before |= equal.all(axis=1)
            may_be = (shares(here, there) >= near - _SLACK) & ~before
            hashes = np.cumsum(sizes[one[may_be]].astype(np.int64) + sizes[other[may_be]])
            cuts = np.flatnonzero(np.diff(hashes // _HASHES)) + 1
            yield from zip(np.split(one[may_be], cuts), np.split(other[may_be], cuts), strict=True)


def _meetings(
    signed: Stacked, band: int, compared: "NDArray[np.uint32]"
) -> Iterator[tuple["Places", "Places"]]:
    """Pairs of the sets that meet in a band, lower and higher places.

    Where more meet than are compared, each is held against its neighbours in the order of the next band,
    where those that are near stand together: the work grows with the texts, not with their square. In
    `compared` the bit of the band is set for each one that is held against all that it meets, so that later
    bands can leave such pairs out.
    """
    import numpy as np

    # One sort of plain numbers, each with its place behind it: argsort takes several times as long.
    ordered = signed.column(band).astype(np.uint64) << np.uint64(32)
    ordered |= np.arange(len(ordered), dtype=np.uint64)
    ordered.sort()
    alone = np.concatenate([[True], ordered[1:] >> np.uint64(32) != ordered[:-1] >> np.uint64(32), [True]])
    ordered = ordered[~(alone[1:] & alone[:-1])]  # few meet anybody, so that the rest takes little
    keys, members = ordered >> np.uint64(32), (ordered & np.uint64(0xFFFFFFFF)).astype(np.int64)
    _, crowd, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    crowds = sizes[crowd]
    compared[members[crowds <= _WINDOW]] |= np.uint32(1 << band)
    large = np.flatnonzero(crowds > _WINDOW)
    beside = signed.column((band + 1) % BANDS)[members[large]] if len(large) else large
    members[large] = members[large][np.lexsort((beside, keys[large]))]
    for step in range(1, _WINDOW + 1):
        together = np.flatnonzero(keys[step:] == keys[:-step])
        if not len(together):
            break
        ends = members[together], members[together + step]
        yield np.minimum(*ends), np.maximum(*ends)


def _in_blocks(parts: Iterable[tuple["Places", "Places"]]) -> Iterator[tuple["Places", "Places"]]:
    """The same pairs in blocks that are neither so large that memory counts nor so small that calls do."""
    import numpy as np

    left = np.empty((2, 0), np.int64)
    for part in parts:
        left = np.concatenate([left, part], axis=1)
        while left.shape[1] >= _MEETINGS:
            yield left[0, :_MEETINGS], left[1, :_MEETINGS]
            left = left[:, _MEETINGS:]
    if left.shape[1]:
        yield left[0], left[1]
