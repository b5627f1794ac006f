"""Two rankings of the same chunks made one: weighted min-max fusion.

Bruch, Gai, Ingber 2023 (arXiv:2210.11934): a convex combination of normalised scores keeps what rank
fusion throws away, how much better one hit is than the next.
"""

import numpy as np

from deploy.knowledge.arrays import Positions, Scores

_SAME_DOCUMENT = 0.85  # worth of a chunk beside one of its document


def fuse(dense: Scores, lexical: Scores, *, dense_weight: float) -> Scores:
    """The weighted mean of both scores, each stretched to 0..1 over the candidates.

    Both arrays hold one score for each candidate, in the same order.
    """
    mixed = dense_weight * _stretched(dense) + (1.0 - dense_weight) * _stretched(lexical)
    return np.clip(mixed, 0.0, 1.0).astype(np.float32)


def spread(scores: Scores, owners: Positions, order: Positions, *, count: int) -> list[tuple[int, float]]:
    """The `count` best places with their scores, best first, a document's further chunks at a discount.

    Who asks for two things is served by one chunk of each rather than by two of one (maximal marginal
    relevance, Carbonell & Goldstein 1998, with the document as what is alike). Equal scores keep `order`,
    so that a search has one answer.
    """
    worth = scores.astype(np.float64)
    chosen: list[tuple[int, float]] = []
    while len(chosen) < min(count, len(scores)):
        best = int(np.lexsort((order, -worth))[0])
        chosen.append((best, float(worth[best])))
        worth[owners == owners[best]] *= _SAME_DOCUMENT
        worth[best] = -np.inf
    return chosen


def _stretched(scores: Scores) -> Scores:
    """Scores moved and scaled to 0..1; all 0 where they do not differ and so say nothing."""
    if scores.size == 0 or scores.max() == scores.min():
        return np.zeros_like(scores)
    return (scores - scores.min()) / (scores.max() - scores.min())
