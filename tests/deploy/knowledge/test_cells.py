"""Protects cells: as few of them as find what exact search finds, and the same bytes each time."""

from pathlib import Path

import faiss
import numpy as np
import pytest

from deploy.knowledge.cells import NEAREST, found_share, in_cells

ROWS, DIMENSIONS = 4000, 24


def unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def drawn(rows: int, seed: int) -> np.ndarray:
    """Vectors around a hundred places, which are the same for every seed."""
    draw = np.random.default_rng(seed)
    places = np.random.default_rng(0).normal(size=(100, DIMENSIONS))
    return unit(places[draw.integers(100, size=rows)] + 0.5 * draw.normal(size=(rows, DIMENSIONS)))


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    return drawn(ROWS, 1)


def recall(index: faiss.IndexIVF, vectors: np.ndarray, asked: np.ndarray) -> float:
    _, nearest = faiss.knn(asked, vectors, NEAREST, metric=faiss.METRIC_INNER_PRODUCT)
    _, found = index.search(asked, NEAREST)
    return found_share(found, nearest)


def test_few_cells_find_nearly_all_that_exact_search_finds(vectors: np.ndarray) -> None:
    index = in_cells(vectors)
    assert index.nprobe < index.nlist / 2
    assert recall(index, vectors, vectors[::7]) >= 0.985
    assert recall(index, vectors, drawn(300, 2)) >= 0.98  # of questions that no row of the store is


def test_who_wants_less_looks_into_fewer_and_what_cannot_be_reached_takes_all(vectors: np.ndarray) -> None:
    some, most = in_cells(vectors, recall=0.8), in_cells(vectors, recall=0.99)
    assert some.nprobe < most.nprobe
    assert recall(some, vectors, vectors[::7]) < recall(most, vectors, vectors[::7])
    assert in_cells(vectors, recall=1.1).nprobe == most.nlist


@pytest.mark.parametrize("threads", [1, 2])
def test_equal_vectors_give_equal_bytes_whatever_the_threads(
    vectors: np.ndarray, threads: int, tmp_path: Path
) -> None:
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(threads)
    try:
        index = in_cells(vectors)
        assert faiss.omp_get_max_threads() == threads  # of others than this index
    finally:
        faiss.omp_set_num_threads(before)
    assert np.array_equal(faiss.serialize_index(index), faiss.serialize_index(in_cells(vectors)))


def test_a_row_alone_has_a_cell(vectors: np.ndarray) -> None:
    index = in_cells(vectors[:1])
    assert (index.nlist, index.nprobe) == (1, 1)
    assert index.search(vectors[:1], 1)[1].tolist() == [[0]]


def test_the_share_is_of_what_is_nearest() -> None:
    found, nearest = np.array([[1, 2, 9], [4, 5, 6]]), np.array([[2, 1], [7, 8]])
    assert found_share(found, nearest) == 0.5
