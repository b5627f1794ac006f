"""How much the coverage of the sources should count beside the model's chance of the abstention."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deploy.engines.abstaining import evidence
from tasks.evaluation.thresholds import Observed

WEIGHTS = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0)  # log-odds from no coverage to all
_FEWEST = 20  # questions of each sort: with fewer the error of an area is itself a guess
_ERRORS = 2.0  # by how many standard errors coverage must help: it comes out of a search among weights


def best_weight(found: Sequence[Observed]) -> float:
    """The weight under which the two sorts of questions are told apart best; 0 where none helps for sure.

    What a weight gains is how much the area under the ROC curve grows, and its standard error is that of
    two areas over the same questions (DeLong, DeLong & Clarke-Pearson 1988).
    """
    if min(sum(each.answered for each in found), sum(not each.answered for each in found)) < _FEWEST:
        return 0.0
    best = max(WEIGHTS, key=lambda weight: float(_wins(found, weight).mean()))
    gains = _wins(found, best) - _wins(found, 0.0)
    return best if gains.mean() > _ERRORS * _standard_error(gains) else 0.0


def told_apart(found: Sequence[Observed], *, coverage_weight: float) -> float:
    """The area under the ROC curve: how often more speaks for abstaining where there is no answer."""
    return float(_wins(found, coverage_weight).mean())


def _wins(found: Sequence[Observed], weight: float) -> NDArray[np.float64]:
    """For each question without an answer [rows] and with one [columns]: 1 for more, 0.5 for as much."""
    speaks = {
        answered: np.array(
            [
                evidence(each.chance, each.coverage, coverage_weight=weight)
                for each in found
                if each.answered == answered
            ]
        )
        for answered in (True, False)
    }
    without, with_ = speaks[False][:, None], speaks[True][None, :]
    return (without > with_) + 0.5 * (without == with_)


def _standard_error(gains: NDArray[np.float64]) -> float:
    """The standard error of the mean gain over all pairs, of which each question is in many."""
    parts = (gains.mean(axis=axis) for axis in (0, 1))
    return math.sqrt(sum(float(part.var(ddof=1)) / len(part) for part in parts))
