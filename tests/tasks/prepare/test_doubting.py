"""Protects the doubts about labels: wrong ones are found, right ones are left alone, rare ones are told."""

import numpy as np
import pytest

from tasks.prepare.doubting import FEWEST, doubtful


def clouds(count: int, spread: float = 0.25) -> tuple[list[str], np.ndarray]:
    """Texts of three labels as vectors around three corners."""
    draw = np.random.default_rng(1)
    labels = [("red", "green", "blue")[number % 3] for number in range(count)]
    corners = {"red": [1, 0, 0, 0], "green": [0, 1, 0, 0], "blue": [0, 0, 1, 0]}
    vectors = np.array([corners[label] for label in labels]) + draw.normal(0, spread, (count, 4))
    return labels, (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_planted_mistakes_are_found_with_the_label_that_was_right() -> None:
    labels, vectors = clouds(300)
    wrong = list(range(0, 300, 11))
    planted = list(labels)
    for place in wrong:
        planted[place] = "green" if labels[place] == "red" else "red"
    found = doubtful(planted, vectors, seed=1)
    hit = [doubt for doubt in found.rows if doubt.place in wrong]
    assert len(hit) / len(wrong) >= 0.9
    assert len(hit) / len(found.rows) >= 0.8
    assert all(doubt.likelier == labels[doubt.place] for doubt in hit)
    assert [doubt.margin for doubt in found.rows] == sorted(
        (doubt.margin for doubt in found.rows), reverse=True
    )
    assert found == doubtful(planted, vectors, seed=1)


def test_right_labels_that_are_told_apart_are_left_alone() -> None:
    labels, vectors = clouds(150, spread=0.05)
    assert doubtful(labels, vectors, seed=1).rows == ()


def test_rare_labels_are_told_and_not_judged() -> None:
    labels, vectors = clouds(90, spread=0.05)
    labels[: FEWEST - 1] = ["mauve"] * (FEWEST - 1)
    found = doubtful(labels, vectors, seed=1)
    assert found.rare == ("mauve",)
    assert found.judged == 90 - (FEWEST - 1)
    assert all(doubt.place >= FEWEST - 1 for doubt in found.rows)


@pytest.mark.parametrize("labels", [["a"] * 20, [], ["a"] * 5 + ["b"] * 5])
def test_without_two_labels_there_is_nothing_to_doubt(labels: list[str]) -> None:
    assert doubtful(labels, np.ones((len(labels), 2), dtype=np.float32), seed=1).rows == ()
