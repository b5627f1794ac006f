"""Chunks that came after the store was made: few, so each is looked at, weighed as the store weighs its own.

A small index of its own would not do: how rare a word is cannot be told from a handful of chunks, and scores
of two indexes do not compare. So a term here weighs by its rarity among all chunks, old and new.
"""

from collections import Counter
from collections.abc import Collection, Container, Sequence
from dataclasses import dataclass, field

import numpy as np

from deploy.knowledge.arrays import Scores, Vectors
from deploy.knowledge.chunking import Chunk, KnowledgeDocument
from deploy.knowledge.hits import Hit
from deploy.knowledge.lexical import K1, TITLE, B, LexicalIndex, rarity
from deploy.knowledge.terms import chunk_terms, query_terms, title_term


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


class FreshIndex:
    """Scores the chunks of `documents` beside those of the `lexical` index of a store."""

    def __init__(self, documents: Sequence[FreshDocument], lexical: LexicalIndex, *, dimensions: int) -> None:
        self._lexical = lexical
        self.chunks = [chunk for each in documents for chunk in each.chunks]
        self.owners = np.array(
            [number for number, each in enumerate(documents) for _ in each.chunks], dtype=np.int64
        )
        self._documents = [each.document for each in documents]
        self._terms = [counted for each in documents for counted in each.terms]
        lengths = np.array([sum(counted.values()) for counted in self._terms], dtype=np.float32)
        # Documents without a word have no chunk, and so no vector.
        vectors = [each.vectors for each in documents if each.chunks]
        self._vectors: Vectors = (
            np.concatenate(vectors) if vectors else np.zeros((0, dimensions), dtype=np.float32)
        )
        self._norms = K1 * (1.0 - B + B * lengths / lengths.mean()) if len(lengths) else lengths
        self._holders = Counter(term for counted in self._terms for term in counted)

    def __len__(self) -> int:
        return len(self.chunks)

    @property
    def known(self) -> Container[str]:
        """All terms that a chunk holds, old or new."""
        return _Either(self._lexical.known, self._holders)

    def meant(self, query: Vectors) -> Scores:
        """The cosine of the query with each chunk."""
        return self._vectors @ query

    def worded(self, query: str) -> Scores:
        """The score of each chunk by words: BM25 as `LexicalIndex` has it, with the rarity among all."""
        asked = query_terms(query, self.known)
        scores = np.zeros(len(self), dtype=np.float32)
        for term, times in Counter(asked).items():
            counts = np.array([counted[term] for counted in self._terms], dtype=np.float32)
            if not counts.any():
                continue
            weight = self.rarity(term)
            scores += times * weight * counts / (self._norms + counts)
            titled = title_term(term)
            bears = np.array([titled in counted for counted in self._terms])
            scores[bears] += TITLE * weight
        return scores

    def rarity(self, term: str) -> float:
        """How rare a term is among all chunks; one that none holds counts as the rarest could."""
        rows = self._lexical.rows + len(self)
        holders = max(self._lexical.holders(term) + self._holders[term], 1)
        return float(rarity(np.array([holders]), rows)[0])

    def hidden(self, exclude: Collection[str]) -> Scores:
        """1 for each chunk of a document in `exclude`, else 0."""
        out = [document.id in exclude for document in self._documents]
        return np.array([out[owner] for owner in self.owners], dtype=np.float32)

    def hit(self, place: int, *, score: float, query: str, before: str) -> Hit:
        """The chunk at `place`, with this score and what it covers of the question."""
        chunk, document = self.chunks[place], self._documents[self.owners[place]]
        terms = {term for text in (query, before) for term in query_terms(text, self.known)}
        weights = {term: self.rarity(term) for term in sorted(terms)}
        whole = sum(weights.values())
        held = sum(weight for term, weight in weights.items() if term in self._terms[place])
        return Hit(
            chunk=chunk.id,
            document=document.id,
            uri=document.uri,
            title=document.title,
            text=chunk.text,
            score=score,
            coverage=min(held / whole, 1.0) if whole else 0.0,
        )


class _Either:
    """What is in one of two."""

    def __init__(self, one: Container[str], other: Container[str]) -> None:
        self._one, self._other = one, other

    def __contains__(self, term: object) -> bool:
        return term in self._one or term in self._other
