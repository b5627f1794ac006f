"""Protects the interval of a share: Wilson's, as scipy has it, also for means that are no counts."""

import pytest
from scipy.stats import binomtest

from tasks.scoring.shares import wilson


@pytest.mark.parametrize(("wins", "count"), [(0, 5), (5, 5), (7, 20), (500, 1000)])
def test_the_interval_is_wilsons(wins: int, count: int) -> None:
    expected = binomtest(wins, count).proportion_ci(method="wilson")
    assert wilson(wins / count, count) == pytest.approx((expected.low, expected.high))


def test_of_nothing_it_is_everything() -> None:
    assert wilson(0.0, 0) == (0.0, 1.0)
