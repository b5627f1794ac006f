"""Protects the order of training rows: each once an epoch, batches of one length, equal for equal seeds."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tasks.training.schedule import POOL, milestones, schedule

LENGTHS = [10 + (7 * n) % 90 for n in range(101)]


def test_every_row_is_trained_on_once_an_epoch() -> None:
    plan = schedule(LENGTHS, batch_size=4, epochs=3, seed=1)
    assert set(Counter(plan.order).values()) == {3}
    assert plan.steps == -(-303 // 4)


def test_a_batch_holds_rows_of_about_one_length() -> None:
    plan = schedule(LENGTHS, batch_size=4, seed=1)
    padded = sum(
        max(LENGTHS[row] for row in plan.order[at : at + 4]) * len(plan.order[at : at + 4])
        for at in range(0, 101, 4)
    )
    assert padded < 1.08 * sum(LENGTHS)


def test_so_does_one_of_rows_that_belong_together() -> None:
    lengths = [10 + (37 * n) % 400 for n in range(800)]
    groups = [[row, row + 1] if row % 4 == 0 else [row] for row in range(800) if row % 4 != 1]
    order = schedule(lengths, batch_size=4, seed=1, together=groups).order
    padded = sum(4 * max(lengths[row] for row in order[at : at + 4]) for at in range(0, 800, 4))
    assert padded < 1.4 * sum(lengths)  # in a random order: 1.6


def test_an_epoch_is_over_before_the_next_begins() -> None:
    plan = schedule([1] * 400, batch_size=4, epochs=3, seed=1, by_length=False)
    assert [len(set(plan.order[at : at + 400])) for at in (0, 400, 800)] == [400, 400, 400]


def test_the_order_follows_from_the_seed() -> None:
    assert schedule(LENGTHS, batch_size=4, seed=1) == schedule(LENGTHS, batch_size=4, seed=1)
    assert schedule(LENGTHS, batch_size=4, seed=1) != schedule(LENGTHS, batch_size=4, seed=2)


def test_rows_that_belong_together_stay_together() -> None:
    groups = [[0, 60], [1], [2, 61], *([row] for row in range(3, 60))]
    order = schedule(LENGTHS[:62], batch_size=4, epochs=2, seed=1, together=groups).order
    assert Counter(order) == Counter(dict.fromkeys(range(62), 2))
    for first, second in ((0, 60), (2, 61)):
        places = [[place for place, row in enumerate(order) if row == one] for one in (first, second)]
        assert all(abs(one - other) <= 4 * POOL for one, other in zip(*places, strict=True))


def test_without_regard_to_length_groups_stand_side_by_side() -> None:
    groups = [[0, 60], [1], [2, 61], *([row] for row in range(3, 60))]
    order = schedule(LENGTHS[:62], batch_size=4, seed=1, together=groups, by_length=False).order
    assert sorted(order) == list(range(62))
    assert order[order.index(0) + 1] == 60
    assert order[order.index(2) + 1] == 61


@given(st.lists(st.integers(1, 9), min_size=1, max_size=30), st.integers(1, 6))
def test_what_belongs_together_shares_a_batch_where_it_fits(sizes: list[int], batch_size: int) -> None:
    rows = iter(range(sum(sizes)))
    groups = [[next(rows) for _ in range(size)] for size in sizes]
    plan = schedule([1] * sum(sizes), batch_size=batch_size, seed=1, together=groups, by_length=False)
    assert sorted(plan.order) == list(range(sum(sizes)))
    batches = [set(plan.at(step)) for step in range(plan.steps)]
    whole = [group for group in groups if len(group) == batch_size]
    assert all(set(group) in batches for group in whole)


def test_rows_trained_on_are_known_for_each_step() -> None:
    plan = schedule(LENGTHS, batch_size=4, accumulation=2, seed=1)
    assert plan.until(2) == plan.order[:16]
    assert len(plan.until(plan.steps)) == 101


def test_milestones_end_with_the_last_step() -> None:
    assert milestones(10, 4) == {2, 5, 8, 10}
    assert milestones(2, 4) == {1, 2}
    assert milestones(7, 0) == frozenset()
