"""Many vectors in cells: a search looks into those that are nearest to the question, and into no other.

An inverted file (Jégou, Douze, Schmid 2011). How many cells a search has to look into is measured when the
index is made, and kept in it. What is asked then are excerpts of the chunks, embedded as questions are: they
lie apart from all chunks, as real questions do, and need several times as many cells as chunks would.
"""

import math
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from deploy.knowledge.arrays import Positions, Vectors
from deploy.knowledge.hidden import Hidden

RECALL = 0.993  # share of the nearest rows that a search has to find
NEAREST = 50  # rows that it is measured by: as many as `retrieval.candidates` of params.yaml
_CELLS = 4  # times the square root of the number of rows
_TRAINED = 64  # rows for each cell that the centres are made of
_ROUNDS = 10  # of k-means
_EXCERPTS, _EXCERPT_WORDS = 256, 10


def excerpts(texts: Sequence[str]) -> list[str]:
    """Some words from each of some of the texts, the same each time: what stands in for questions."""
    draw, found = random.Random(0), []
    for at in np.linspace(0, len(texts) - 1, min(_EXCERPTS, len(texts)), dtype=np.int64):
        words = texts[at].split()
        start = draw.randrange(max(len(words) - _EXCERPT_WORDS, 0) + 1)
        found.append(" ".join(words[start : start + _EXCERPT_WORDS]))
    return found


def in_cells(vectors: Vectors, asked: Vectors, *, recall: float = RECALL) -> Any:
    """A FAISS index of `vectors` in cells, a byte a dimension; equal vectors give equal bytes.

    Its `nprobe` is the least by which the questions `asked` find the share `recall` of their `NEAREST` rows.
    """
    import faiss

    with one_thread():  # sums of floats, and so the bytes, depend on how threads share them
        cells = min(int(_CELLS * math.sqrt(len(vectors))), len(vectors))
        index: Any = faiss.index_factory(vectors.shape[1], f"IVF{cells},SQ8", faiss.METRIC_INNER_PRODUCT)
        index.cp.niter, index.cp.max_points_per_centroid = _ROUNDS, _TRAINED
        index.cp.min_points_per_centroid = 1  # FAISS warns of fewer than 39
        index.train(vectors)
        index.add(vectors)
        index.make_direct_map()  # where each row lies: `reconstruct_batch` needs it
        index.nprobe = _fewest_cells(index, vectors, asked, recall)
    return index


@contextmanager
def one_thread() -> Iterator[None]:
    """Let FAISS use one thread in what this thread asks of it."""
    import faiss

    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)


def looking_into(cells: int) -> Any:
    """The parameters of a search that looks into so many cells."""
    import faiss

    parameters = faiss.SearchParametersIVF()
    parameters.nprobe = cells
    return parameters


class Cells:
    """Which rows of an `index` made by `in_cells` lie together: how far a search has to look."""

    def __init__(self, index: Any) -> None:
        import faiss

        self._index = index
        # FAISS keeps the cell of a row in the upper half of its entry.
        self._cell: Positions = faiss.vector_to_array(index.direct_map.array) >> 32
        self._sizes = np.bincount(self._cell, minlength=index.nlist)
        self.all: int = index.nlist

    def enough(self, query: Vectors, hidden: Hidden | None) -> int:
        """How many cells to look into: with hidden rows so many more that as many others are met."""
        usual: int = self._index.nprobe
        if hidden is None:
            return usual
        _, [nearest] = self._index.quantizer.search(query.reshape(1, -1), self.all)
        left = self._sizes - np.bincount(self._cell[hidden.rows], minlength=self.all)
        wanted = self._sizes[nearest[:usual]].sum()
        met = np.cumsum(left[nearest])
        return min(max(int(np.searchsorted(met, wanted)) + 1, usual), self.all)


def _fewest_cells(index: Any, vectors: Vectors, asked: Vectors, recall: float) -> int:
    """The least number of cells by which `recall` is reached; all of them where it is not."""
    import faiss

    count = min(NEAREST, len(vectors))
    _, nearest = faiss.knn(asked, vectors, count, metric=faiss.METRIC_INNER_PRODUCT)

    def reached(cells: int) -> float:
        _, found = index.search(asked, count, params=looking_into(cells))
        return found_share(found, nearest)

    too_few, enough = 0, 1
    while enough < index.nlist and reached(enough) < recall:
        too_few, enough = enough, min(2 * enough, index.nlist)
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        too_few, enough = (middle, enough) if reached(middle) < recall else (too_few, middle)
    return enough


def found_share(found: Positions, nearest: Positions) -> float:
    """The share of the rows `nearest` [queries, count] that are among those `found`."""
    return float((nearest[:, :, None] == found[:, None, :]).any(axis=2).mean())
