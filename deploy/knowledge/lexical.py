"""The lexical index: BM25 over the terms of the chunks, and how much of a question a chunk holds."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deploy.errors import KnowledgeError
from deploy.files import parse_json
from deploy.knowledge.arrays import Positions, Scores, highest
from deploy.knowledge.terms import chunk_terms, query_terms, title_term

# Chosen on the default source (documentation of parameters): chunks are short, so a word that stands there
# three times says little more than one that stands there once, and length is hardly a fault.
K1 = 0.8
B = 0.4
# How much more a name counts in the documents that bear it (docs/decisions/0026).
TITLE = 0.75


class LexicalIndex:
    """Scores every chunk by the terms that it shares with a question (BM25, Robertson & Zaragoza 2009)."""

    def __init__(self, bm25: Any, rows: int) -> None:
        self._bm25, self.rows = bm25, rows
        self.known: Mapping[str, int] = bm25.vocab_dict if bm25 is not None else {}  # term -> its column
        columns = bm25.scores["indptr"] if bm25 is not None else np.zeros(1, dtype=np.int64)
        self._rarity = rarity(np.diff(columns), rows)
        self._rarest = float(self._rarity.max(initial=0.0))

    @classmethod
    def build(cls, texts: Sequence[str], titles: Sequence[str]) -> "LexicalIndex":
        """An index of chunks by their texts and the titles of their documents, one row for each."""
        import bm25s

        vocabulary: dict[str, int] = {}
        rows = [
            [vocabulary.setdefault(term, len(vocabulary)) for term in chunk_terms(text, title=title)]
            for text, title in zip(texts, titles, strict=True)
        ]
        if not vocabulary:
            return cls(None, len(texts))
        bm25 = bm25s.BM25(method="lucene", k1=K1, b=B)
        bm25.index((rows, vocabulary), show_progress=False, create_empty_token=False)
        return cls(bm25, len(texts))

    def save(self, folder: Path) -> None:
        """Write the index into `folder` as npy arrays and JSON."""
        folder.mkdir(parents=True)
        (folder / "rows.json").write_text(json.dumps({"rows": self.rows, "empty": self._bm25 is None}))
        if self._bm25 is not None:
            self._bm25.save(folder, show_progress=False, allow_pickle=False)

    @classmethod
    def load(cls, folder: Path, *, rows: int) -> "LexicalIndex":
        """The index in `folder`, whose checksums the caller has compared; its scores stay in the files.

        Raises:
            KnowledgeError: the files are no index of so many rows.
        """
        import bm25s

        try:
            shape = parse_json((folder / "rows.json").read_bytes(), dict[str, int | bool])
            if shape["rows"] != rows:
                raise ValueError(f"it has {shape['rows']} rows, the store {rows}")
            if shape["empty"]:
                return cls(None, rows)
            bm25 = bm25s.BM25.load(folder, mmap=True, show_progress=False, allow_pickle=False)
            # As plain arrays: slices of a numpy.memmap cost more than what most of them hold.
            bm25.scores = {
                name: np.asarray(part) if isinstance(part, np.ndarray) else part
                for name, part in bm25.scores.items()
            }
            return cls(bm25, rows)
        except (OSError, ValueError, KeyError) as error:
            raise KnowledgeError(f"the lexical index {folder} cannot be read: {error}") from None

    def scores(self, query: str) -> Scores:
        """The score of each chunk; 0 for one that shares no term with the question.

        A name counts once more in the documents that bear it, by its rarity: `np.isclose` asks for the
        document `numpy.isclose` rather than for one that mentions it.
        """
        known = self.known
        asked = [term for term in query_terms(query, known) if term in known]
        if not asked:
            return np.zeros(self.rows, dtype=np.float32)
        scores = self._bm25.get_scores_from_ids([known[term] for term in asked])
        for term in sorted(set(asked)):
            titled = known.get(title_term(term))
            if titled is not None:
                scores[self._holders(titled)] += TITLE * self._rarity[known[term]]
        return scores

    def coverage(self, asked: Sequence[str], chunks: Positions) -> Scores:
        """For each of `chunks` the share of the terms of `asked` that it holds, weighted by their rarity.

        It is in 0..1. A term counts once, however often it is said. One that no chunk holds counts as much
        as the rarest that one does: nothing speaks more against an answer than a name that nobody knows.
        """
        known = self.known
        terms = {term for text in asked for term in query_terms(text, known)}
        held, whole = np.zeros(len(chunks), dtype=np.float32), 0.0
        # In a fixed order, for sums of floats depend on it and sets of strings have another in each process.
        for term in sorted(terms):
            if term not in known:
                whole += self._rarest
                continue
            whole += float(self._rarity[known[term]])
            held[self._holds(known[term], chunks)] += self._rarity[known[term]]
        return np.clip(held / whole, 0.0, 1.0) if whole else held

    def holders(self, term: str) -> int:
        """How many chunks hold a term."""
        return len(self._holders(self.known[term])) if term in self.known else 0

    def _holders(self, term: int) -> NDArray[np.int32]:
        """The chunks that hold a term, ascending: the rows of its column in the sparse matrix of scores."""
        first, end = self._bm25.scores["indptr"][term : term + 2]
        holders: NDArray[np.int32] = self._bm25.scores["indices"][first:end]
        return holders

    def _holds(self, term: int, chunks: Positions) -> NDArray[np.bool_]:
        """Whether each of `chunks` holds a term, without going through all of its holders."""
        holders = self._holders(term)
        sought = chunks.astype(holders.dtype)
        return holders.take(np.searchsorted(holders, sought), mode="clip") == sought

    @staticmethod
    def best(scores: Scores, count: int) -> Positions:
        """Positions of at most `count` chunks with a score, best first."""
        return highest(scores, count, above=0.0)


def rarity(holders: Positions, rows: int) -> Scores:
    """How rare each term is by the number of chunks that hold it: its weight in BM25, 0 where none does."""
    weights = np.log1p((rows - holders + 0.5) / (holders + 0.5))
    return np.where(holders > 0, weights, 0.0).astype(np.float32)
