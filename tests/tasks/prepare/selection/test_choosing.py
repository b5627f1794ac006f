"""Protects the choice: as many as asked for, the best of them, and lengths kept where that is asked."""

from hypothesis import given
from hypothesis import strategies as st

from tasks.prepare.selection.choosing import at_random, choose, highest


def places(scores: list[float], lengths: list[int], count: int, *, keep: bool = False) -> list[int]:
    return [each.place for each in choose(highest(scores), lengths, count, keep_lengths=keep)]


def test_the_highest_are_chosen_and_stand_in_the_order_of_the_rows() -> None:
    assert places([0.1, 0.9, 0.5, 0.9], [1, 1, 1, 1], 3) == [1, 2, 3]
    assert places([1.0, 1.0, 1.0], [1, 1, 1], 2) == [0, 1]


def test_a_score_that_is_length_chooses_all_lengths_where_they_are_kept() -> None:
    lengths = list(range(100))
    scores = [float(length) for length in lengths]
    assert places(scores, lengths, 10) == list(range(90, 100))
    assert places(scores, lengths, 10, keep=True) == list(range(9, 100, 10))


@given(
    lengths=st.lists(st.integers(0, 9), max_size=60),
    count=st.integers(1, 80),
    keep=st.booleans(),
    seed=st.integers(0, 9),
)
def test_as_many_as_there_are_up_to_the_count_and_none_twice(
    lengths: list[int], count: int, keep: bool, seed: int
) -> None:
    found = choose(at_random(seed), lengths, count, keep_lengths=keep)
    assert len({each.place for each in found}) == len(found) <= min(count, len(lengths))
    if not keep or count <= len(lengths) // 10 * 10:
        assert len(found) == min(count, len(lengths))


def test_a_lot_is_drawn_anew_under_another_seed_and_the_same_under_one() -> None:
    one, two, three = (choose(at_random(seed), [1] * 50, 10, keep_lengths=False) for seed in (1, 2, 1))
    assert one == three
    assert one != two
