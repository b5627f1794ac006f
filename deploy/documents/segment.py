"""Chunks of documents laid out to be searched: the parts that an index of what was added is made of."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from deploy.knowledge.arrays import Positions, Scores, Vectors
from deploy.knowledge.chunking import Chunk, KnowledgeDocument
from deploy.knowledge.terms import chunk_terms

_DENSE_ENOUGH = 0.75  # share of a segment's rows that are there; below it, it is laid out anew


@dataclass(frozen=True, slots=True)
class FreshDocument:
    """A document with its chunks and their vectors [chunks, dimensions]."""

    document: KnowledgeDocument
    chunks: tuple[Chunk, ...]
    vectors: Vectors
    terms: tuple[Counter[str], ...] = field(init=False)

    def __post_init__(self) -> None:
        counted = tuple(Counter(chunk_terms(chunk.text, title=chunk.title)) for chunk in self.chunks)
        object.__setattr__(self, "terms", counted)


class Segment:
    """The chunks of some documents, side by side; it never changes and holds no text.

    `places` has the rows of each document (first, after last), `owners` [rows] the number of each row's
    document in `names`, `lengths` [rows] how many terms each row has.
    """

    def __init__(self, documents: Sequence[FreshDocument]) -> None:
        """Lay out `documents`, of which each has a chunk at least."""
        sizes = [len(each.chunks) for each in documents]
        ends = np.cumsum(sizes).tolist()
        self.names = [each.document.id for each in documents]
        self.places = {
            name: (end - size, end) for name, size, end in zip(self.names, sizes, ends, strict=True)
        }
        self.owners: Positions = np.repeat(np.arange(len(documents)), sizes)
        self.vectors: Vectors = np.concatenate([each.vectors for each in documents])
        counted = [terms for each in documents for terms in each.terms]
        self.lengths: Scores = np.array([terms.total() for terms in counted], dtype=np.float32)
        columns: dict[str, int] = {}
        column = np.array(
            [columns.setdefault(term, len(columns)) for terms in counted for term in terms], dtype=np.int64
        )
        counts = np.array([count for terms in counted for count in terms.values()], dtype=np.float32)
        rows = np.repeat(np.arange(len(counted)), [len(terms) for terms in counted])
        by_term = np.argsort(column, kind="stable")
        self._rows, self._counts, self._columns = rows[by_term], counts[by_term], columns
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(column, minlength=len(columns)))])

    def holding(self, term: str) -> tuple[Positions, Scores]:
        """The rows that hold a term, ascending, and how often each does."""
        column = self._columns.get(term)
        if column is None:
            return self._rows[:0], self._counts[:0]
        first, end = self._starts[column : column + 2]
        return self._rows[first:end], self._counts[first:end]


@dataclass(frozen=True, slots=True)
class Part:
    """A segment, and which of its rows are still there."""

    segment: Segment
    there: NDArray[np.bool_]

    @classmethod
    def whole(cls, documents: Sequence[FreshDocument]) -> "Part":
        """A segment of `documents`, all of which are there."""
        segment = Segment(documents)
        return cls(segment, np.ones(len(segment.owners), dtype=np.bool_))

    @property
    def size(self) -> int:
        """How many rows are there."""
        return int(self.there.sum())

    @property
    def is_thin(self) -> bool:
        """Whether so much has gone that the segment is to be laid out anew."""
        return self.size < _DENSE_ENOUGH * len(self.there)

    def names(self) -> list[str]:
        """The documents that are there, in their order."""
        return [name for name, (first, _) in self.segment.places.items() if self.there[first]]
