"""Protects which chunks come first: those with the highest scores, of equal ones the first, however many."""

import numpy as np
import pytest

from deploy.knowledge.arrays import highest


@pytest.mark.parametrize("size", [0, 3, 39, 40, 41, 1000, 1003])
@pytest.mark.parametrize("values", [2, 50, 10**6], ids=["many equal", "some equal", "few equal"])
@pytest.mark.parametrize("above", [-np.inf, 0.0])
def test_the_highest_are_those_that_sorting_finds(size: int, values: int, above: float) -> None:
    draw = np.random.default_rng(size)
    scores = draw.integers(-values // 2, values, size).astype(np.float32)
    ranked = sorted(range(size), key=lambda at: (-scores[at], at))
    assert highest(scores, 10, above=above).tolist() == [at for at in ranked if scores[at] > above][:10]


def test_what_cannot_be_found_is_not() -> None:
    scores = np.full(1000, -np.inf, dtype=np.float32)
    scores[700] = -1.0
    assert highest(scores, 10).tolist() == [700]
