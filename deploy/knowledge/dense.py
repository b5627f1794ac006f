"""The dense index: FAISS over the vectors of the chunks, by inner product."""

from collections.abc import Collection
from typing import Any, Literal

import numpy as np

from deploy.errors import KnowledgeError
from deploy.knowledge.arrays import Positions, Vectors

DenseKind = Literal["flat", "sq8"]
_FACTORY: dict[DenseKind, str] = {"flat": "Flat", "sq8": "SQ8"}
_HEADER_BYTES = 2**20


class DenseIndex:
    """Finds the rows whose vectors point most nearly where the query's does.

    `flat` holds float32 and is exact; `sq8` holds a byte a dimension: a quarter of the memory, and on real
    embeddings nearly always the same order. A row's position is its place in the store.
    """

    def __init__(self, index: Any) -> None:
        self._index = index

    @classmethod
    def build(cls, vectors: Vectors, kind: DenseKind) -> "DenseIndex":
        """An index of `vectors`, one row for each chunk."""
        import faiss

        index = faiss.index_factory(vectors.shape[1], _FACTORY[kind], faiss.METRIC_INNER_PRODUCT)
        if len(vectors):
            index.train(vectors)
            index.add(vectors)
        return cls(index)

    def to_bytes(self) -> bytes:
        """The index as FAISS writes it."""
        import faiss

        return bytes(faiss.serialize_index(self._index))

    @classmethod
    def from_bytes(cls, data: bytes, *, rows: int, dimensions: int) -> "DenseIndex":
        """The index in `data`, whose checksum the caller has compared.

        Raises:
            KnowledgeError: the bytes are no index of this shape.
        """
        import faiss

        # FAISS believes the sizes that a file names: without limits a damaged one allocates what it likes.
        faiss.set_deserialization_vector_byte_limit(rows * dimensions * 4 + _HEADER_BYTES)
        faiss.set_deserialization_loop_limit(rows + dimensions + _HEADER_BYTES)
        try:
            index = faiss.deserialize_index(np.frombuffer(data, dtype=np.uint8))
        except RuntimeError as error:
            raise KnowledgeError(f"the dense index cannot be read: {error}") from None
        if (index.ntotal, index.d) != (rows, dimensions):
            raise KnowledgeError(
                f"the dense index holds {index.ntotal} vectors of {index.d} numbers, "
                f"the store {rows} of {dimensions}; run the stage `index` again"
            )
        return cls(index)

    def best(self, query: Vectors, count: int, *, exclude: Collection[tuple[int, int]] = ()) -> Positions:
        """Positions of at most `count` rows, best first, outside the excluded ranges (first, after last)."""
        import faiss

        parameters = None
        if exclude:
            hidden = faiss.IDSelectorBatch(np.concatenate([np.arange(first, end) for first, end in exclude]))
            shown = faiss.IDSelectorNot(hidden)
            parameters = faiss.SearchParameters()
            parameters.sel = shown  # `hidden` and `shown` live until the search ends, which FAISS needs
        wanted = min(count, self._index.ntotal)
        if wanted == 0:
            return np.empty(0, dtype=np.int64)
        _, found = self._index.search(query.reshape(1, -1), wanted, params=parameters)
        return found[0][found[0] >= 0]  # -1 fills up what the selector left out

    def scores(self, query: Vectors, positions: Positions) -> Vectors:
        """The cosine of the query with each of these rows."""
        return self._index.reconstruct_batch(positions) @ query
