"""Protects cells: as few of them as find what exact search finds, and the same bytes each time."""

import faiss
import numpy as np
import pytest

from deploy.knowledge.cells import NEAREST, excerpts, found_share, in_cells

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


@pytest.fixture(scope="module")
def asked() -> np.ndarray:
    """Questions: around the same places, and further away from them than rows."""
    return unit(drawn(200, 2) + drawn(200, 3))


def recall(index: faiss.IndexIVF, vectors: np.ndarray, asked: np.ndarray) -> float:
    _, nearest = faiss.knn(asked, vectors, NEAREST, metric=faiss.METRIC_INNER_PRODUCT)
    _, found = index.search(asked, NEAREST)
    return found_share(found, nearest)


def test_few_cells_find_nearly_all_that_exact_search_finds(vectors: np.ndarray, asked: np.ndarray) -> None:
    index = in_cells(vectors, asked)
    assert index.nprobe < index.nlist / 2
    assert recall(index, vectors, asked) >= 0.99
    assert recall(index, vectors, unit(drawn(300, 4) + drawn(300, 5))) >= 0.98  # of others of their kind


def test_questions_that_lie_apart_need_more_cells_than_rows(vectors: np.ndarray, asked: np.ndarray) -> None:
    assert in_cells(vectors, vectors[::20]).nprobe < in_cells(vectors, asked).nprobe


def test_who_wants_less_looks_into_fewer_and_what_cannot_be_reached_takes_all(
    vectors: np.ndarray, asked: np.ndarray
) -> None:
    some, most = in_cells(vectors, asked, recall=0.8), in_cells(vectors, asked, recall=0.99)
    assert some.nprobe < most.nprobe
    assert 0.8 <= recall(some, vectors, asked) < recall(most, vectors, asked)
    assert in_cells(vectors, asked, recall=1.1).nprobe == most.nlist


@pytest.mark.parametrize("threads", [1, 2])
def test_equal_vectors_give_equal_bytes_whatever_the_threads(
    vectors: np.ndarray, asked: np.ndarray, threads: int
) -> None:
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(threads)
    try:
        index = in_cells(vectors, asked)
        assert faiss.omp_get_max_threads() == threads  # of others than this index
    finally:
        faiss.omp_set_num_threads(before)
    assert np.array_equal(faiss.serialize_index(index), faiss.serialize_index(in_cells(vectors, asked)))


def test_a_row_alone_has_a_cell(vectors: np.ndarray) -> None:
    index = in_cells(vectors[:1], vectors)
    assert (index.nlist, index.nprobe) == (1, 1)
    assert index.search(vectors[:1], 1)[1].tolist() == [[0]]


def test_the_share_is_of_what_is_nearest() -> None:
    found, nearest = np.array([[1, 2, 9], [4, 5, 6]]), np.array([[2, 1], [7, 8]])
    assert found_share(found, nearest) == 0.5


def test_excerpts_are_words_of_the_texts_from_all_over_the_same_each_time() -> None:
    texts = [f"first{at} " + " ".join(f"w{at}x{n}" for n in range(at % 30)) for at in range(1000)]
    found = excerpts(texts)
    assert found == excerpts(texts)
    assert len(found) == 256
    assert all(any(words in text for text in texts) for words in found)
    assert {len(words.split()) for words in found} == set(range(1, 11))
    assert excerpts(["one", "two words"]) == ["one", "two words"]
    assert excerpts([]) == []
