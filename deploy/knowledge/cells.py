"""Many vectors in cells: a search looks into those that are nearest to the question, and into no other.

An inverted file (Jégou, Douze, Schmid 2011). How many cells a search has to look into is measured on the
vectors themselves when the index is made, and kept in it.
"""

import math
from typing import Any

import numpy as np

from deploy.knowledge.arrays import Positions, Vectors

RECALL = 0.99  # share of the nearest rows that a search has to find
NEAREST = 50  # rows that it is measured by: as many as `retrieval.candidates` of params.yaml
_CELLS = 4  # times the square root of the number of rows
_TRAINED = 64  # rows for each cell that the centres are made of
_ROUNDS = 10  # of k-means
_ASKED = 256  # rows whose neighbours are sought to measure


def in_cells(vectors: Vectors, *, recall: float = RECALL) -> Any:
    """A FAISS index of `vectors` in cells, a byte a dimension; equal vectors give equal bytes.

    Its `nprobe` is the least by which a search finds the share `recall` of the `NEAREST` rows.
    """
    import faiss

    threads = faiss.omp_get_max_threads()
    # Sums of floats, and so the bytes, depend on how threads share them.
    faiss.omp_set_num_threads(1)
    try:
        cells = min(int(_CELLS * math.sqrt(len(vectors))), len(vectors))
        index = faiss.index_factory(vectors.shape[1], f"IVF{cells},SQ8", faiss.METRIC_INNER_PRODUCT)
        index.cp.niter, index.cp.max_points_per_centroid = _ROUNDS, _TRAINED
        index.train(vectors)
        index.add(vectors)
        index.make_direct_map()  # where each row lies: `reconstruct_batch` needs it
        index.nprobe = _fewest_cells(index, vectors, recall)
    finally:
        faiss.omp_set_num_threads(threads)
    return index


def _fewest_cells(index: Any, vectors: Vectors, recall: float) -> int:
    """The least number of cells by which `recall` is reached; all of them where it is not."""
    import faiss

    asked = _asked(vectors)
    count = min(NEAREST, len(vectors))
    _, nearest = faiss.knn(asked, vectors, count, metric=faiss.METRIC_INNER_PRODUCT)

    def reached(cells: int) -> float:
        _, found = index.search(asked, count, params=faiss.SearchParametersIVF(nprobe=cells))
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


def _asked(vectors: Vectors) -> Vectors:
    """Rows from all over the store, as questions."""
    return vectors[np.linspace(0, len(vectors) - 1, min(_ASKED, len(vectors)), dtype=np.int64)]
