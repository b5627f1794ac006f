"""Who may be near to whom: the texts that meet in a band of their signatures, band by band.

In 32 bands of four values two texts that share 0.6 of their triples meet with a chance of 0.99, at 0.5 with
0.87. The exact share then has to decide, since bands this loose alone would call a third too many near;
stricter ones miss half of the texts with a tenth of their words changed.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tasks.prepare.similar.arrays import Stacked
from tasks.prepare.similar.signatures import BANDS, shares

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Places = NDArray[np.int64]

_WINDOW = 64  # of those that meet in a band, each is held against so many
_MEETINGS = 1 << 16  # pairs at once, so that memory stays bounded
_HASHES = 1 << 21  # of the texts of all pairs that are given at once
_SLACK = 0.2  # the share by MinHash is off by more than this once in some 100,000 pairs


def candidates(
    signed: Stacked, sizes: "NDArray[np.uint32]", *, near: float
) -> Iterator[tuple["Places", "Places"]]:
    """Pairs of places that may be near, lower and higher ones, in blocks; some come several times.

    `sizes` says how many hashes each text has: one that has none is near to nobody.
    """
    import numpy as np

    places, compared = np.flatnonzero(sizes), np.zeros(len(sizes), np.uint32)
    for band in range(BANDS) if len(places) else ():
        for met in _meetings(signed, places, band, compared):
            few, many = (choose(*(sizes[ends] for ends in met)) for choose in (np.minimum, np.maximum))
            one, other = (ends[few >= near * many] for ends in met)
            if not len(one):
                continue
            found, numbers = np.unique(np.concatenate([one, other]), return_inverse=True)
            here, there = np.split(signed.rows(found)[numbers], 2)
            before = here[:, :band] == there[:, :band]
            before &= compared[one, None] >> np.arange(band, dtype=np.uint32) & 1 == 1
            may_be = (shares(here, there) >= near - _SLACK) & ~before.any(axis=1)
            hashes = np.cumsum(sizes[one[may_be]].astype(np.int64) + sizes[other[may_be]])
            cuts = np.flatnonzero(np.diff(hashes // _HASHES)) + 1
            yield from zip(np.split(one[may_be], cuts), np.split(other[may_be], cuts), strict=True)


def _meetings(
    signed: Stacked, places: "Places", band: int, compared: "NDArray[np.uint32]"
) -> Iterator[tuple["Places", "Places"]]:
    """Pairs of the texts at `places` that meet in a band, lower and higher places, in blocks.

    Where more meet than are compared, each is held against its neighbours in the order of the next band,
    where those that are near stand together: the work grows with the texts, not with their square. In
    `compared` the bit of the band is set for each text that is held against all that it meets, so that later
    bands can leave such pairs out.
    """
    import numpy as np

    # One sort of plain numbers, each with its place behind it: argsort takes several times as long.
    ordered = signed.column(band)[places].astype(np.uint64) << np.uint64(32)
    ordered |= places.astype(np.uint64)
    ordered.sort()
    keys, members = ordered >> np.uint64(32), (ordered & np.uint64(0xFFFFFFFF)).astype(np.int64)
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))[: len(keys)]
    sizes = np.diff(starts, append=len(keys))
    crowds = np.repeat(sizes, sizes)
    compared[members[crowds <= _WINDOW]] |= np.uint32(1 << band)
    keys, members, crowds = keys[crowds > 1], members[crowds > 1], crowds[crowds > 1]
    large = np.flatnonzero(crowds > _WINDOW)
    beside = signed.column((band + 1) % BANDS)[members[large]] if len(large) else large
    members[large] = members[large][np.lexsort((beside, keys[large]))]
    for step in range(1, _WINDOW + 1):
        together = np.flatnonzero(keys[step:] == keys[:-step])
        for start in range(0, len(together), _MEETINGS):
            some = together[start : start + _MEETINGS]
            ends = members[some], members[some + step]
            yield np.minimum(*ends), np.maximum(*ends)
        if not len(together):
            break
