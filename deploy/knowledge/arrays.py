"""The arrays of a search, by what their numbers are."""

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Scores = NDArray[np.float32]
Positions = NDArray[np.int64]

_GROUPS = 4  # of scores, for each that is looked for


def highest(scores: Scores, count: int, *, above: float = -np.inf) -> Positions:
    """Positions of the `count` highest scores that are over `above`, best first; of equal ones the first.

    At least `count` scores reach the one that is `count`-th among the maxima of groups: only what does is
    sorted, for sorting a hundred thousand takes longer than finding them.
    """
    least = -np.inf
    groups = _GROUPS * count
    if len(scores) > groups:
        rows = len(scores) // groups
        maxima = scores[: rows * groups].reshape(rows, groups).max(axis=0)
        least = np.partition(maxima, -count)[-count]
    found = np.flatnonzero((scores >= least) & (scores > above))
    return found[np.argsort(-scores[found], kind="stable")[:count]]
