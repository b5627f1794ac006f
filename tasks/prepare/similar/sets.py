"""Which things belong together, directly or through others, in arrays alone."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]


def sets_of(ends: "Numbers", count: int) -> "Numbers":
    """The number of the set of each of `count` things, where the two `ends` [ties, 2] of a tie are of one."""
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not count:
        return np.empty(0, np.int64)
    ties = coo_array((np.ones(len(ends), bool), (ends[:, 0], ends[:, 1])), shape=(count, count))
    numbers: Numbers = connected_components(ties.tocsr(), directed=False)[1].astype(np.int64)
    return numbers
