"""Protects the honest rates: of a rule on questions that did not choose it."""

import random

import pytest

from deploy.engines.abstaining import chance_of
from tasks.evaluation.halving import on_other_halves
from tasks.evaluation.thresholds import Observed, best, points


def drawn(count: int, *, seed: int, apart: float) -> list[Observed]:
    """Questions, every third without an answer, whose log-odds lie `apart` by so many deviations."""
    draw = random.Random(seed)
    return [
        Observed(chance=chance_of(draw.gauss(0.0 if number % 3 else apart, 1.0)), answered=number % 3 > 0)
        for number in range(count)
    ]


def test_where_chance_tells_nothing_neither_do_the_rates() -> None:
    """The chosen point of the very questions looks like a find; on others it is one of guessing."""
    flattered, honest = [], []
    for seed in range(12):
        found = drawn(60, seed=seed, apart=0.0)
        flattered.append(best(points(found)).worth)
        rates = on_other_halves(found, seed=seed)
        assert rates is not None
        honest.append(rates.rightly - rates.wrongly)
    assert abs(sum(honest) / len(honest)) < 0.08
    assert sum(flattered) / len(flattered) > 0.15


def test_where_it_tells_all_the_rates_say_so_and_follow_from_the_seed() -> None:
    found = drawn(90, seed=1, apart=30.0)
    rates = on_other_halves(found, seed=1)
    assert rates is not None
    assert (rates.rightly, rates.wrongly) == pytest.approx((1.0, 0.0), abs=0.02)
    noisy = drawn(90, seed=2, apart=1.0)
    assert on_other_halves(noisy, seed=1) == on_other_halves(noisy, seed=1) != on_other_halves(noisy, seed=2)


def test_a_limit_holds_on_the_other_half_about() -> None:
    found = drawn(300, seed=3, apart=1.5)
    free, bound = on_other_halves(found, seed=1), on_other_halves(found, seed=1, at_most=0.08)
    assert free is not None
    assert bound is not None
    assert bound.wrongly < 0.12 < free.wrongly
    assert bound.rightly < free.rightly


@pytest.mark.parametrize("answered", [(), (True,) * 9, (True,) * 9 + (False,)])
def test_what_cannot_be_halved_has_none(answered: tuple[bool, ...]) -> None:
    assert on_other_halves([Observed(chance=0.5, answered=each) for each in answered], seed=1) is None
