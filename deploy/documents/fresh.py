"""Chunks that came after the store was made: each is looked at, weighed as the store weighs its own.

An index that knows nothing of the store would not do: how rare a word is cannot be told from a handful of
chunks, and scores of two indexes do not compare. So a term here weighs by its rarity among all chunks, old
and new.
"""

from collections import Counter
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import replace
from math import inf

import numpy as np
from numpy.typing import NDArray

from deploy.documents.segment import FreshDocument, Part
from deploy.knowledge.arrays import Positions, Scores, Vectors
from deploy.knowledge.hits import Hit
from deploy.knowledge.lexical import K1, TITLE, B, LexicalIndex, rarity
from deploy.knowledge.terms import query_terms, title_term

AT_ONCE = 1_000  # chunks that a change may lay out anew, in some 20 ms; more are left to `compacted`


class FreshIndex:
    """Scores the chunks of `documents` beside those of the `lexical` index of a store; it never changes.

    A change makes another index, which shares the segments with the one of before, so that a search goes on
    in what it began with. Segments are joined as the digits of a counter carry, so that each is larger than
    all after it: they are few, and a chunk is laid out as often as the logarithm of their number (Bentley &
    Saxe 1980). A change joins small ones itself and leaves large ones to whoever calls `compacted`.

    A row's place counts over all segments, with rows that are no longer there.
    """

    def __init__(
        self,
        documents: Mapping[str, FreshDocument],
        parts: Sequence[Part],
        lexical: LexicalIndex,
        *,
        dimensions: int,
    ) -> None:
        self.documents, self._parts, self._lexical, self._dimensions = documents, parts, lexical, dimensions
        self._starts = np.cumsum([0, *(len(part.there) for part in parts)])
        self._there: NDArray[np.bool_] = np.concatenate(
            [np.zeros(0, dtype=np.bool_), *(part.there for part in parts)]
        )
        self._count = int(self._there.sum())
        lengths = np.concatenate(
            [np.zeros(0, dtype=np.float32), *(part.segment.lengths for part in parts)], dtype=np.float32
        )
        mean = float(lengths[self._there].mean()) if self._count else 1.0
        self._norms: Scores = np.asarray(K1 * (1.0 - B + B * lengths / mean), dtype=np.float32)
        before = np.cumsum([0, *(len(part.segment.names) for part in parts)])
        self.owners: Positions = np.concatenate(
            [
                np.zeros(0, dtype=np.int64),
                *(part.segment.owners + first for part, first in zip(parts, before[:-1], strict=True)),
            ]
        )

    @classmethod
    def of(
        cls, documents: Iterable[FreshDocument], lexical: LexicalIndex, *, dimensions: int
    ) -> "FreshIndex":
        """An index of `documents` in one segment."""
        given = {each.document.id: each for each in documents}
        worded = [each for each in given.values() if each.chunks]  # the others have nothing to be found
        return cls(given, [Part.whole(worded)] if worded else [], lexical, dimensions=dimensions)

    def with_document(self, fresh: FreshDocument) -> "FreshIndex":
        """The index with a document more, or another one of its id."""
        documents = {**self.documents, fresh.document.id: fresh}
        parts = self._parts_without(fresh.document.id)
        if not fresh.chunks:
            return self._made(documents, parts)
        sizes = [*(part.size for part in parts), len(fresh.chunks)]
        first = min(_first_to_join(sizes, most=AT_ONCE), len(parts))
        joined = [documents[name] for part in parts[first:] for name in part.names()]
        return self._made(documents, [*parts[:first], Part.whole([*joined, fresh])])

    def without(self, name: str) -> "FreshIndex":
        """The index without a document."""
        documents = {**self.documents}
        documents.pop(name, None)
        return self._made(documents, self._parts_without(name))

    @property
    def is_scattered(self) -> bool:
        """Whether `compacted` would change it."""
        sizes = [part.size for part in self._parts]
        return _first_to_join(sizes) < len(sizes) or any(part.is_thin for part in self._parts)

    def compacted(self) -> "FreshIndex":
        """The same documents in few segments, and no row that is not there; this may take seconds."""
        first = _first_to_join([part.size for part in self._parts])
        kept = [self._laid_out([part]) if part.is_thin else part for part in self._parts[:first]]
        tail = self._parts[first:]
        return self._made(self.documents, [*kept, self._laid_out(tail)] if tail else kept)

    def followed_by(self, later: "FreshIndex") -> "FreshIndex":
        """This index after the changes that have led from its documents to those of `later`."""
        index, now = self, later.documents
        for name, document in self.documents.items():
            if now.get(name) is not document:
                index = index.without(name)
        for name, document in now.items():
            if self.documents.get(name) is not document:
                index = index.with_document(document)
        return index

    def __len__(self) -> int:
        return self._count

    @property
    def known(self) -> Container[str]:
        """All terms that a chunk holds, old or new."""
        return _Known(self, self._lexical)

    def shown(self, exclude: Collection[str]) -> NDArray[np.bool_]:
        """For each place whether a search without the documents `exclude` may find it."""
        shown = self._there.copy()
        for start, part in zip(self._starts[:-1], self._parts, strict=True):
            for name in exclude if len(exclude) < len(part.segment.places) else part.segment.names:
                if name in exclude and (place := part.segment.places.get(name)):
                    shown[start + place[0] : start + place[1]] = False
        return shown

    def meant(self, query: Vectors) -> Scores:
        """The cosine of the query with the chunk at each place."""
        scores = [np.zeros(0, dtype=np.float32), *(part.segment.vectors @ query for part in self._parts)]
        return np.concatenate(scores)

    def worded(self, query: str) -> Scores:
        """The score at each place by words: BM25 as `LexicalIndex` has it, with the rarity among all."""
        scores = np.zeros(len(self._there), dtype=np.float32)
        for term, times in Counter(query_terms(query, self.known)).items():
            weight = self.rarity(term)
            for start, part in zip(self._starts[:-1], self._parts, strict=True):
                rows, counts = part.segment.holding(term)
                scores[start + rows] += times * weight * counts / (self._norms[start + rows] + counts)
                bearing, _ = part.segment.holding(title_term(term))
                scores[start + bearing] += TITLE * weight
        return scores

    def holders(self, term: str) -> int:
        """How many of the chunks that are there hold a term."""
        return sum(int(part.there[part.segment.holding(term)[0]].sum()) for part in self._parts)

    def rarity(self, term: str) -> float:
        """How rare a term is among all chunks; one that none holds counts as the rarest could."""
        rows = self._lexical.rows + len(self)
        holders = max(self._lexical.holders(term) + self.holders(term), 1)
        return float(rarity(np.array([holders]), rows)[0])

    def place(self, place: int) -> tuple[str, int]:
        """The document of the chunk at `place`, and which of its chunks it is."""
        number = int(np.searchsorted(self._starts, place, side="right")) - 1
        segment, row = self._parts[number].segment, place - int(self._starts[number])
        name = segment.names[segment.owners[row]]
        return name, row - segment.places[name][0]

    def hit(self, place: int, *, score: float, query: str, before: str) -> Hit:
        """The chunk at `place`, with this score and what it covers of the question."""
        name, at = self.place(place)
        fresh = self.documents[name]
        terms = {term for text in (query, before) for term in query_terms(text, self.known)}
        weights = {term: self.rarity(term) for term in sorted(terms)}
        whole = sum(weights.values())
        held = sum(weight for term, weight in weights.items() if term in fresh.terms[at])
        return Hit(
            chunk=fresh.chunks[at].id,
            document=name,
            uri=fresh.document.uri,
            title=fresh.document.title,
            text=fresh.chunks[at].text,
            score=score,
            coverage=min(held / whole, 1.0) if whole else 0.0,
        )

    def _parts_without(self, name: str) -> list[Part]:
        """The parts without a document; what has become thin and is small is laid out anew."""
        left: list[Part] = []
        for part in self._parts:
            first, end = part.segment.places.get(name, (0, 0))
            if first == end or not part.there[first]:
                left.append(part)
                continue
            there = part.there.copy()
            there[first:end] = False
            kept = replace(part, there=there)
            if kept.size:
                left.append(self._laid_out([kept]) if kept.is_thin and kept.size <= AT_ONCE else kept)
        return left

    def _laid_out(self, parts: Sequence[Part]) -> Part:
        """The documents of `parts` that are there, in one."""
        return Part.whole([self.documents[name] for part in parts for name in part.names()])

    def _made(self, documents: Mapping[str, FreshDocument], parts: Sequence[Part]) -> "FreshIndex":
        return FreshIndex(documents, parts, self._lexical, dimensions=self._dimensions)


def _first_to_join(sizes: Sequence[int], *, most: float = inf) -> int:
    """The first of parts of these sizes that is no larger than all after it: it and those are to be one.

    They must have `most` rows together at most; where there is none, it is the number of parts.
    """
    after, first = 0, len(sizes)
    for at in reversed(range(len(sizes))):
        if sizes[at] <= after and sizes[at] + after <= most:
            first = at
        after += sizes[at]
    return first


class _Known:
    """The terms that a chunk of either index holds."""

    def __init__(self, fresh: FreshIndex, lexical: LexicalIndex) -> None:
        self._fresh, self._lexical = fresh, lexical

    def __contains__(self, term: object) -> bool:
        return isinstance(term, str) and (term in self._lexical.known or self._fresh.holders(term) > 0)
