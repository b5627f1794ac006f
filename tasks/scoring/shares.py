"""Intervals of shares: of a rate, or of a mean score between 0 and 1."""

from statistics import NormalDist

_Z = NormalDist().inv_cdf(0.975)


def wilson(share: float, count: int) -> tuple[float, float]:
    """The 95 % interval of a share of `count` (Wilson 1927, JASA 22:209).

    For a mean of scores between 0 and 1 it is wide enough: no such score varies more than a yes or no does.
    Without any it is everything from 0 to 1.
    """
    if count == 0:
        return 0.0, 1.0
    square = _Z * _Z
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = _Z / (1 + square / count) * (share * (1 - share) / count + square / (4 * count * count)) ** 0.5
    return max(middle - half, 0.0), min(middle + half, 1.0)
