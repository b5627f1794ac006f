"""Points that cover all others: greedy k-center (Gonzalez 1985; for training sets Sener and Savarese 2018).

Each next point is the one that is farthest from all that are chosen. By angles, no other choice of as many
points could bring all others more than twice as near to a chosen one.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deploy.knowledge.arrays import Vectors


def k_center(vectors: "Vectors", count: int) -> list[tuple[int, float]]:
    """The places of `count` rows of unit length (or all, where there are fewer), in the order of the choice.

    With each its distance (1 - cosine) from those chosen before it; it never grows. The first is the one
    that is nearest to the middle of all, at distance 2.0, the largest there is.
    """
    import numpy as np

    if not len(vectors) or count < 1:
        return []
    first = int((vectors @ vectors.mean(axis=0)).argmax())
    chosen = [(first, 2.0)]
    nearest = 1.0 - vectors @ vectors[first]
    nearest[first] = -np.inf
    while len(chosen) < min(count, len(vectors)):
        place = int(nearest.argmax())
        chosen.append((place, round(max(0.0, float(nearest[place])), 6)))
        nearest = np.minimum(nearest, 1.0 - vectors @ vectors[place])
        nearest[place] = -np.inf
    return chosen
