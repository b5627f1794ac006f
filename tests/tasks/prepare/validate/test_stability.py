"""Protects the index of what has changed: its value, and the bound that chance hardly passes."""

import math
import random

import pytest

from tasks.prepare.validate.profile import Spread, spread
from tasks.prepare.validate.stability import chance, index


def drawn(draw: random.Random, shares: dict[str, float], rows: int) -> Spread:
    """So many independent rows."""
    cells = draw.choices(list(shares), list(shares.values()), k=rows)
    return spread([{cell: 1.0} for cell in cells], [draw.randrange(16) for _ in cells])


def test_the_index_is_that_of_its_definition() -> None:
    then = Spread(rows={"a": 5000.0, "b": 5000.0}, alike={"a": 0.0, "b": 0.0}, parts=16)
    now = Spread(rows={"a": 7000.0, "b": 3000.0}, alike={"a": 0.0, "b": 0.0}, parts=16)
    expected = 0.2 * math.log(7 / 5) - 0.2 * math.log(3 / 5)
    assert index(then, now) == pytest.approx(expected, rel=0.01)
    assert index(then, now) == pytest.approx(index(now, then))
    assert index(then, then) == 0.0


def test_a_cell_that_was_empty_is_no_infinite_change_and_less_of_one_where_rows_come_in_groups() -> None:
    then = Spread(rows={"a": 100.0}, alike={"a": 0.0}, parts=16)
    alone = Spread(rows={"a": 90.0, "b": 10.0}, alike={"a": 1.0, "b": 1.0}, parts=16)
    grouped = Spread(rows={"a": 90.0, "b": 10.0}, alike={"a": 1.0, "b": 10.0}, parts=16)
    assert 0.1 < index(then, grouped) < index(then, alone) < 1.0


def test_chance_passes_the_bound_hardly_ever_and_comes_near_it() -> None:
    draw = random.Random(0)
    shares = {name: float(weight) for weight, name in enumerate("abcdefgh", start=1)}
    pairs = [(drawn(draw, shares, 200), drawn(draw, shares, 200)) for _ in range(300)]
    ratios = [index(then, now) / chance(then, now) for then, now in pairs]
    assert max(ratios) <= 1.1
    assert max(ratios) > 0.3  # a bound that nothing comes near would hide what has changed


def test_more_rows_make_chance_smaller_and_a_real_change_stands_out() -> None:
    draw = random.Random(1)
    few = [drawn(draw, {"a": 1.0, "b": 1.0}, 60) for _ in range(2)]
    many = [drawn(draw, {"a": 1.0, "b": 1.0}, 6000) for _ in range(2)]
    assert chance(many[0], many[1]) < 0.1 * chance(few[0], few[1])
    other = drawn(draw, {"a": 1.0, "b": 3.0}, 6000)
    assert index(many[0], other) > 10 * chance(many[0], other)


@pytest.mark.parametrize(
    "none", [spread([], []), spread([{"a": 1.0}] * 9, [3] * 9)], ids=["empty", "one group"]
)
def test_where_nothing_tells_chance_it_is_infinite(none: Spread) -> None:
    some = drawn(random.Random(2), {"a": 1.0, "b": 1.0}, 60)
    assert chance(none, some) == chance(some, none) == math.inf


def test_a_feature_that_never_varies_has_no_chance_to() -> None:
    same = spread([{"a": 1.0}] * 64, [n % 16 for n in range(64)])
    assert (index(same, same), chance(same, same)) == (0.0, 0.0)
