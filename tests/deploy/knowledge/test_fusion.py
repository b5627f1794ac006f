"""Protects that fused scores lie in 0..1 and follow the weight from one ranking to the other."""

import numpy as np
import pytest

from deploy.knowledge.fusion import fuse, spread

DENSE = np.array([0.9, 0.5, 0.1], dtype=np.float32)
LEXICAL = np.array([0.0, 3.0, 7.0], dtype=np.float32)


@pytest.mark.parametrize(("weight", "order"), [(1.0, [0, 1, 2]), (0.0, [2, 1, 0])])
def test_the_weight_chooses_the_ranking(weight: float, order: list[int]) -> None:
    assert np.argsort(-fuse(DENSE, LEXICAL, dense_weight=weight, by="scores")).tolist() == order


def test_scores_lie_between_0_and_1() -> None:
    fused = fuse(DENSE, LEXICAL, dense_weight=0.3, by="scores")
    assert fused.min() >= 0.0
    assert fused.max() <= 1.0
    assert fused.dtype == np.float32


def test_equal_scores_say_nothing() -> None:
    flat = np.full(3, 5.0, dtype=np.float32)
    assert fuse(flat, LEXICAL, dense_weight=0.5, by="scores").tolist() == pytest.approx([0.0, 3 / 14, 0.5])
    assert fuse(flat[:0], flat[:0], dense_weight=0.5, by="scores").size == 0


def test_a_documents_further_chunks_make_room_for_those_of_others() -> None:
    scores = np.array([1.0, 0.95, 0.9, 0.2], dtype=np.float32)
    owners, order = np.array([0, 0, 2, 2]), np.arange(4)
    found = spread(scores, owners, order, count=3)
    assert [place for place, _ in found] == [0, 2, 1]
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
    assert [place for place, _ in spread(scores, order, order, count=9)] == [0, 1, 2, 3]


def test_equal_scores_keep_the_order_of_the_store() -> None:
    scores, order = np.ones(3, dtype=np.float32), np.array([7, 3, 5])
    assert [place for place, _ in spread(scores, order, order, count=3)] == [1, 2, 0]


@pytest.mark.parametrize(("weight", "order"), [(1.0, [0, 1, 2]), (0.0, [2, 1, 0])])
def test_ranks_follow_the_weight_and_not_how_far_scores_are_apart(weight: float, order: list[int]) -> None:
    near, far = (fuse(DENSE, LEXICAL * k, dense_weight=weight, by="ranks") for k in (1, 1000))
    assert np.argsort(-near).tolist() == order
    assert near.tolist() == far.tolist()


def test_the_worth_of_a_rank_is_that_of_the_paper() -> None:
    fused = fuse(DENSE, LEXICAL, dense_weight=0.5, by="ranks")
    # The first has no word of the question: no rank among them, rather than the last.
    assert fused.tolist() == pytest.approx([0.5, 0.5 * 61 / 62 + 0.5 * 61 / 62, 0.5 * 61 / 63 + 0.5])
    tied = fuse(np.array([0.5, 0.5, 0.2]), np.zeros(3), dense_weight=1.0, by="ranks")
    assert tied.tolist() == pytest.approx([1.0, 1.0, 61 / 63])
