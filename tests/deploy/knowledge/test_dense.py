"""Protects that FAISS finds the nearest rows, hides what is excluded, and reads no damaged index."""

import numpy as np
import pytest

from deploy.errors import KnowledgeError
from deploy.knowledge.dense import DenseIndex, DenseKind

ROWS, DIMENSIONS = 200, 16


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    made = np.random.default_rng(0).normal(size=(ROWS, DIMENSIONS)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


@pytest.mark.parametrize("kind", ["flat", "sq8"])
def test_a_row_is_nearest_to_itself(vectors: np.ndarray, kind: DenseKind) -> None:
    index = DenseIndex.build(vectors, kind)
    assert [int(index.best(vectors[at], 3)[0]) for at in range(ROWS)] == list(range(ROWS))
    cosine = index.scores(vectors[7], np.array([7, 8]))
    assert cosine == pytest.approx(vectors[[7, 8]] @ vectors[7], abs=0.02)


@pytest.mark.parametrize("kind", ["flat", "sq8"])
def test_the_one_row_that_is_left_is_found(vectors: np.ndarray, kind: DenseKind) -> None:
    index = DenseIndex.build(vectors, kind)
    assert index.best(vectors[0], 5, exclude=[(0, 150), (151, ROWS)]).tolist() == [150]
    assert index.best(vectors[0], 5, exclude=[(0, ROWS)]).tolist() == []


def test_bytes_bring_the_index_back(vectors: np.ndarray) -> None:
    index = DenseIndex.build(vectors, "sq8")
    again = DenseIndex.from_bytes(index.to_bytes(), rows=ROWS, dimensions=DIMENSIONS)
    assert again.to_bytes() == index.to_bytes()
    assert again.best(vectors[3], 5).tolist() == index.best(vectors[3], 5).tolist()


def test_an_index_larger_than_the_store_is_refused(vectors: np.ndarray) -> None:
    data = DenseIndex.build(vectors, "flat").to_bytes()
    with pytest.raises(KnowledgeError, match="200 vectors of 16 numbers"):
        DenseIndex.from_bytes(data, rows=199, dimensions=DIMENSIONS)
    with pytest.raises(KnowledgeError, match="cannot be read"):
        DenseIndex.from_bytes(data[:100], rows=ROWS, dimensions=DIMENSIONS)


def test_an_empty_index_finds_nothing() -> None:
    index = DenseIndex.build(np.zeros((0, DIMENSIONS), dtype=np.float32), "sq8")
    assert index.best(np.ones(DIMENSIONS, dtype=np.float32), 3).tolist() == []
