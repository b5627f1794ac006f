"""Protects that FAISS finds the nearest rows, hides what is excluded, and reads no damaged index."""

from pathlib import Path

import faiss
import numpy as np
import pytest

from deploy.errors import KnowledgeError
from deploy.knowledge.dense import DenseIndex, DenseKind
from deploy.knowledge.hidden import Hidden

ROWS, DIMENSIONS = 200, 16
KINDS = pytest.mark.parametrize(("kind", "cells_above"), [("flat", 0), ("sq8", ROWS), ("sq8", ROWS - 1)])


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    made = np.random.default_rng(0).normal(size=(ROWS, DIMENSIONS)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def built(vectors: np.ndarray, kind: DenseKind, cells_above: int = ROWS) -> DenseIndex:
    """An index that is measured by questions which are no rows of it."""

    def asked() -> np.ndarray:
        made = np.random.default_rng(9).normal(size=(100, DIMENSIONS)).astype(np.float32)
        return made / np.linalg.norm(made, axis=1, keepdims=True)

    return DenseIndex.build(vectors, kind, asked=asked, cells_above=cells_above)


def without(*ranges: tuple[int, int]) -> Hidden:
    return Hidden.of(ranges, total=ROWS)


def written(index: DenseIndex, folder: Path) -> bytes:
    index.write(folder / "dense.faiss")
    return (folder / "dense.faiss").read_bytes()


@KINDS
def test_a_row_is_nearest_to_itself(vectors: np.ndarray, kind: DenseKind, cells_above: int) -> None:
    index = built(vectors, kind, cells_above)
    assert [int(index.best(vectors[at], 3)[0]) for at in range(ROWS)] == list(range(ROWS))
    cosine = index.scores(vectors[7], np.array([7, 8]))
    assert cosine == pytest.approx(vectors[[7, 8]] @ vectors[7], abs=0.02)


@KINDS
def test_the_one_row_that_is_left_is_found(vectors: np.ndarray, kind: DenseKind, cells_above: int) -> None:
    index = built(vectors, kind, cells_above)
    for query in vectors[::20]:
        assert index.best(query, 5, hidden=without((0, 150), (151, ROWS))).tolist() == [150]
        assert index.best(query, 5, hidden=without((0, ROWS))).tolist() == []


@KINDS
@pytest.mark.parametrize("count", [1, 40, ROWS, 10 * ROWS])
def test_as_many_are_found_as_are_asked_for_and_there(
    vectors: np.ndarray, kind: DenseKind, cells_above: int, count: int
) -> None:
    index = built(vectors, kind, cells_above)
    hidden = without((0, 30))
    for query in vectors[::20]:
        found = index.best(query, count, hidden=hidden)
        assert len(found) == len(set(found)) == min(count, ROWS - 30)
        assert found.min() >= 30


@pytest.mark.parametrize("cells_above", [0, 10_000])
def test_what_is_hidden_around_a_question_costs_it_nothing(cells_above: int) -> None:
    """All that lies in the cells of the question is hidden: of the others the nearest are found."""
    draw = np.random.default_rng(1)
    places = draw.normal(size=(40, DIMENSIONS))
    made = np.repeat(places, 50, axis=0) + 0.3 * draw.normal(size=(2000, DIMENSIONS))
    vectors = np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), dtype=np.float32)
    index = built(vectors, "sq8", cells_above)
    shares = []
    for place in range(40):
        hidden = Hidden.of([(50 * place, 50 * place + 50)], total=2000)
        scores = vectors @ vectors[50 * place]
        scores[hidden.rows] = -2.0
        found = index.best(vectors[50 * place], 20, hidden=hidden)
        assert len(found) == 20
        shares.append(np.isin(np.argsort(-scores)[:20], found).mean())
    assert np.mean(shares) > 0.9


def test_of_few_rows_that_are_left_all_over_the_nearest_are_found() -> None:
    draw = np.random.default_rng(2)
    made = draw.normal(size=(3000, DIMENSIONS))
    vectors = np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), dtype=np.float32)
    index = built(vectors, "sq8", 0)
    hidden = Hidden.of([(at, at + 99) for at in range(0, 3000, 100)], total=3000)  # one in a hundred is left
    for query in vectors[::300]:
        scores = vectors @ query
        scores[hidden.rows] = -2.0
        assert index.best(query, 5, hidden=hidden).tolist()[0] == int(scores.argmax())


def test_few_rows_are_written_as_faiss_writes_them(vectors: np.ndarray, tmp_path: Path) -> None:
    for kind, name in (("flat", "Flat"), ("sq8", "SQ8")):
        plain = faiss.index_factory(DIMENSIONS, name, faiss.METRIC_INNER_PRODUCT)
        plain.train(vectors)
        plain.add(vectors)
        assert written(built(vectors, kind), tmp_path) == faiss.serialize_index(plain).tobytes()


@KINDS
def test_a_file_brings_the_index_back(
    vectors: np.ndarray, kind: DenseKind, cells_above: int, tmp_path: Path
) -> None:
    index = built(vectors, kind, cells_above)
    data = written(index, tmp_path)
    again = DenseIndex.read(tmp_path / "dense.faiss", rows=ROWS, dimensions=DIMENSIONS)
    (tmp_path / "dense.faiss").unlink()  # what has been read stays readable
    hidden = without((0, 9))
    for query in vectors[::20]:
        assert again.best(query, 5).tolist() == index.best(query, 5).tolist()
        assert again.best(query, 5, hidden=hidden).tolist() == index.best(query, 5, hidden=hidden).tolist()
        some = np.array([0, 5, 199])
        assert again.scores(query, some).tolist() == index.scores(query, some).tolist()
    assert written(again, tmp_path) == data


def test_an_index_larger_than_the_store_is_refused(vectors: np.ndarray, tmp_path: Path) -> None:
    data = written(built(vectors, "flat"), tmp_path)
    with pytest.raises(KnowledgeError, match="200 vectors of 16 numbers"):
        DenseIndex.read(tmp_path / "dense.faiss", rows=199, dimensions=DIMENSIONS)
    (tmp_path / "cut.faiss").write_bytes(data[:100])
    with pytest.raises(KnowledgeError, match="cannot be read"):
        DenseIndex.read(tmp_path / "cut.faiss", rows=ROWS, dimensions=DIMENSIONS)


def test_an_empty_index_finds_nothing() -> None:
    index = built(np.zeros((0, DIMENSIONS), dtype=np.float32), "sq8")
    assert index.best(np.ones(DIMENSIONS, dtype=np.float32), 3).tolist() == []
