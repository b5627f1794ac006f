"""The dense index: FAISS over the vectors of the chunks, by inner product."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np

from deploy.errors import KnowledgeError
from deploy.knowledge.arrays import Positions, Vectors
from deploy.knowledge.cells import Cells, in_cells, looking_into, one_thread
from deploy.knowledge.hidden import Hidden

DenseKind = Literal["flat", "sq8"]
CELLS_ABOVE = 50_000  # rows; to look at all of them takes some 2 ms at this number, and grows with it
_FACTORY: dict[DenseKind, str] = {"flat": "Flat", "sq8": "SQ8"}
_HEADER_BYTES = 2**20


class DenseIndex:
    """Finds the rows whose vectors point most nearly where the query's does.

    `flat` holds float32 and is exact; `sq8` holds a byte a dimension: a quarter of the memory, and on real
    embeddings nearly always the same order. Many rows of `sq8` lie in cells (`deploy.knowledge.cells`), and a
    search looks into few of them. A row's position is its place in the store.
    """

    def __init__(self, index: Any) -> None:
        import faiss

        self._index = index
        self._cells = Cells(index) if isinstance(index, faiss.IndexIVF) else None

    @classmethod
    def build(
        cls,
        vectors: Vectors,
        kind: DenseKind,
        *,
        asked: Callable[[], Vectors],
        cells_above: int = CELLS_ABOVE,
    ) -> "DenseIndex":
        """An index of `vectors`, one row for each chunk.

        More than `cells_above` of `sq8` lie in cells; then `asked` is called for questions to measure by.
        """
        import faiss

        if kind == "sq8" and len(vectors) > cells_above:
            return cls(in_cells(vectors, asked()))
        index = faiss.index_factory(vectors.shape[1], _FACTORY[kind], faiss.METRIC_INNER_PRODUCT)
        if len(vectors):
            index.train(vectors)
            index.add(vectors)
        return cls(index)

    def write(self, path: Path) -> None:
        """Write the index as FAISS does."""
        import faiss

        faiss.write_index(self._index, str(path))

    @classmethod
    def read(cls, path: Path, *, rows: int, dimensions: int) -> "DenseIndex":
        """The index in the file `path`, whose checksum the caller has compared.

        Codes that lie in no cells stay in the file, which is mapped.

        Raises:
            KnowledgeError: the file is no index of this shape.
        """
        import faiss

        # FAISS believes the sizes that a file names: without limits a damaged one allocates what it likes.
        faiss.set_deserialization_vector_byte_limit(rows * dimensions * 4 + _HEADER_BYTES)
        faiss.set_deserialization_loop_limit(rows + dimensions + _HEADER_BYTES)
        try:
            index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        except RuntimeError as error:
            raise KnowledgeError(f"the dense index cannot be read: {error}") from None
        if (index.ntotal, index.d) != (rows, dimensions):
            raise KnowledgeError(
                f"the dense index holds {index.ntotal} vectors of {index.d} numbers, "
                f"the store {rows} of {dimensions}; run the stage `index` again"
            )
        return cls(index)

    def best(self, query: Vectors, count: int, *, hidden: Hidden | None = None) -> Positions:
        """Positions of at most `count` rows, best first, without the hidden ones.

        Hidden rows take no place away: so many more cells are looked into that as many others are found.
        """
        left = self._index.ntotal - (len(hidden.rows) if hidden else 0)
        wanted = min(count, left)
        if wanted <= 0:
            return np.empty(0, dtype=np.int64)
        # Threads that wait for each other on cores that others use take ten times as long as one alone.
        with one_thread():
            if self._cells is None:
                return self._searched(query, wanted, hidden, None)
            cells = self._cells.enough(query, hidden)
            while True:
                found = self._searched(query, wanted, hidden, cells)
                if len(found) == wanted or cells == self._cells.all:
                    return found
                cells = min(2 * cells, self._cells.all)

    def scores(self, query: Vectors, positions: Positions) -> Vectors:
        """The cosine of the query with each of these rows."""
        return self._index.reconstruct_batch(positions) @ query

    def _searched(self, query: Vectors, wanted: int, hidden: Hidden | None, cells: int | None) -> Positions:
        import faiss

        parameters = looking_into(cells) if cells else faiss.SearchParameters()
        if hidden is not None:  # who calls holds it until the search ends, which FAISS needs
            parameters.sel = faiss.IDSelectorBitmap(len(hidden.shown), faiss.swig_ptr(hidden.shown))
        _, found = self._index.search(query.reshape(1, -1), wanted, params=parameters)
        return found[0][found[0] >= 0]  # -1 fills up where less was found
