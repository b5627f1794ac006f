"""Protects coverage: each point is the farthest from those before it, and all others have one near."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.prepare.selection.coverage import k_center


def unit(angles: list[float]) -> np.ndarray:
    return np.array([[np.cos(angle), np.sin(angle)] for angle in angles], dtype=np.float32)


def test_one_of_each_heap_is_taken_before_a_second_of_any() -> None:
    heaps = unit([0.0, 0.01, 0.02, 2.0, 2.01, 4.0])
    places = [place for place, _ in k_center(heaps, 3)]
    assert {0 if place < 3 else 1 if place < 5 else 2 for place in places} == {0, 1, 2}


@given(
    angles=st.lists(st.floats(0, 6.28), min_size=1, max_size=30),
    count=st.integers(1, 40),
)
def test_each_is_the_farthest_from_those_before_it(angles: list[float], count: int) -> None:
    vectors = unit(angles)
    found = k_center(vectors, count)
    assert len(found) == min(count, len(angles))
    assert len({place for place, _ in found}) == len(found)
    for number in range(1, len(found)):
        before = [place for place, _ in found[:number]]
        nearest = (1.0 - vectors @ vectors[before].T).min(axis=1)
        place, distance = found[number]
        others = [at for at in range(len(angles)) if at not in before]
        assert distance == pytest.approx(nearest[others].max(), abs=1e-5)
        assert nearest[place] == pytest.approx(distance, abs=1e-5)
    distances = [distance for _, distance in found]
    assert distances == sorted(distances, reverse=True)


def test_nothing_gives_nothing() -> None:
    assert k_center(np.zeros((0, 4), dtype=np.float32), 3) == []
