"""Protects the weight of coverage: found where coverage tells what a model does not, 0 where it is noise."""

import random

import pytest

from deploy.engines.abstaining import chance_of
from tasks.evaluation.thresholds import Observed
from tasks.evaluation.weighing import WEIGHTS, best_weight, told_apart


def drawn(count: int, seed: int, *, by_chance: float, by_coverage: float) -> list[Observed]:
    """Questions, one in three without an answer; how far both figures of those lie from the others."""
    draw = random.Random(seed)
    found = []
    for number in range(count):
        answered = number % 3 != 0
        shift = 0.0 if answered else 1.0
        coverage = draw.gauss(0.5 - by_coverage * shift, 0.15)
        found.append(
            Observed(
                chance=chance_of(draw.gauss(by_chance * shift, 1.5)),
                coverage=min(max(coverage, 0.0), 1.0),
                answered=answered,
            )
        )
    return found


def test_where_only_coverage_tells_it_gets_a_weight() -> None:
    found = drawn(240, 3, by_chance=0.0, by_coverage=0.3)
    weight = best_weight(found)
    assert weight >= 8.0
    assert told_apart(found, coverage_weight=weight) > told_apart(found, coverage_weight=0.0) + 0.2


def test_where_both_tell_they_tell_more_together() -> None:
    found = drawn(300, 4, by_chance=1.5, by_coverage=0.15)
    weight = best_weight(found)
    assert 0.0 < weight < WEIGHTS[-1]
    areas = [told_apart(found, coverage_weight=each) for each in (0.0, weight, WEIGHTS[-1])]
    assert areas[1] > max(areas[0], areas[2])


def test_where_coverage_is_noise_it_gets_none() -> None:
    chosen = [best_weight(drawn(240, seed, by_chance=2.0, by_coverage=0.0)) for seed in range(12)]
    assert chosen.count(0.0) >= 11


@pytest.mark.parametrize("answered", [(), (True,) * 40, (True,) * 40 + (False,) * 19])
def test_a_few_questions_say_nothing(answered: tuple[bool, ...]) -> None:
    found = [Observed(chance=0.5, coverage=0.9 if each else 0.1, answered=each) for each in answered]
    assert best_weight(found) == 0.0


def test_the_area_is_how_often_the_pair_is_told_apart() -> None:
    found = [
        Observed(chance=0.2, answered=True),
        Observed(chance=0.4, answered=True),
        Observed(chance=0.4, answered=False),
        Observed(chance=0.3, answered=False),
    ]
    assert told_apart(found, coverage_weight=0.0) == pytest.approx((1.0 + 0.5 + 1.0 + 0.0) / 4)
