"""Protects that fused scores lie in 0..1 and follow the weight from one ranking to the other."""

import numpy as np
import pytest

from deploy.knowledge.fusion import fuse

DENSE = np.array([0.9, 0.5, 0.1], dtype=np.float32)
LEXICAL = np.array([0.0, 3.0, 7.0], dtype=np.float32)


@pytest.mark.parametrize(("weight", "order"), [(1.0, [0, 1, 2]), (0.0, [2, 1, 0])])
def test_the_weight_chooses_the_ranking(weight: float, order: list[int]) -> None:
    assert np.argsort(-fuse(DENSE, LEXICAL, dense_weight=weight)).tolist() == order


def test_scores_lie_between_0_and_1() -> None:
    fused = fuse(DENSE, LEXICAL, dense_weight=0.3)
    assert fused.min() >= 0.0
    assert fused.max() <= 1.0
    assert fused.dtype == np.float32


def test_equal_scores_say_nothing() -> None:
    flat = np.full(3, 5.0, dtype=np.float32)
    assert fuse(flat, LEXICAL, dense_weight=0.5).tolist() == pytest.approx([0.0, 3 / 14, 0.5])
    assert fuse(flat[:0], flat[:0], dense_weight=0.5).size == 0
