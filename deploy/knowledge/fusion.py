"""Two rankings of the same chunks made one: by their scores, or by the ranks that these give."""

import numpy as np

from deploy.knowledge.arrays import Positions, Scores
from deploy.settings import Fusion

_SAME_DOCUMENT = 0.85  # worth of a chunk beside one of its document
_RANKS = 60.0  # how slowly a rank loses its worth: k of Cormack, Clarke, Büttcher 2009


def fuse(dense: Scores, lexical: Scores, *, dense_weight: float, by: Fusion) -> Scores:
    """What both scores say together of each candidate, in 0..1; 1 is the best by both.

    Both arrays hold one score for each candidate, in the same order. By scores it is their weighted mean,
    each stretched to 0..1 over the candidates (Bruch, Gai, Ingber 2023, arXiv:2210.11934): that keeps how
    much better one is than the next. By ranks it is reciprocal rank fusion, weighted alike.
    """
    worth = _stretched if by == "scores" else _ranked
    mixed = dense_weight * worth(dense) + (1.0 - dense_weight) * worth(lexical)
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


def _ranked(scores: Scores) -> Scores:
    """1 for the best, 61/62 for the next, and so on; equal ones share a rank, and 0 is no rank at all."""
    _, places, counts = np.unique(-scores, return_inverse=True, return_counts=True)
    better = np.cumsum(counts) - counts
    found = (_RANKS + 1.0) / (_RANKS + 1.0 + better[places])
    return np.where(scores > 0.0, found, 0.0).astype(np.float32)
