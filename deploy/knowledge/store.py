"""The knowledge store: a folder with the truth in SQLite and the two indexes derived from it.

knowledge.sqlite   documents, chunks, vectors, and what made them
dense.faiss        derived: FAISS
lexical/           derived: BM25
derived.json       which truth the derived files came from, and their checksums
"""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import numpy as np

from deploy.engines.precision import choose_device
from deploy.errors import KnowledgeError
from deploy.knowledge.access import Access
from deploy.knowledge.arrays import Positions, Scores, Vectors
from deploy.knowledge.cells import excerpts
from deploy.knowledge.database import TRUTH, Database
from deploy.knowledge.dense import DenseIndex, DenseKind
from deploy.knowledge.derived import read_derived
from deploy.knowledge.embedder import Embedder, SentenceEmbedder, embedder_identity
from deploy.knowledge.follow_ups import still_asked
from deploy.knowledge.fusion import fuse, spread
from deploy.knowledge.hidden import Hidden
from deploy.knowledge.hits import Hit, matched
from deploy.knowledge.lexical import LexicalIndex
from deploy.knowledge.reranker import Reranker, open_reranker
from deploy.knowledge.tags import Held
from deploy.settings import RetrievalSettings

EARLIER = np.float32(0.5)  # weight of what was said before the question
_NOTHING: Mapping[str, str] = MappingProxyType({})
_log = logging.getLogger(__name__)


def open_knowledge(folder: Path, embedder: Path, settings: RetrievalSettings) -> "KnowledgeStore":
    """The store in `folder`, searched with the sentence-transformers model in the folder `embedder`.

    Where a reranker was trained from that model, and lies in its folder, it has the last word on the order.
    Questions are read in bfloat16 where the machine multiplies it: in less than half the time, with cosines
    that differ in the fourth place.

    Raises:
        KnowledgeError: the store is missing, damaged, or was made with another embedder.
    """
    database = Database(folder / TRUTH)
    made_with, given = database.facts.get("embedder"), embedder_identity(embedder)
    if made_with != given:
        database.close()
        raise KnowledgeError(
            f"{folder} was made with the embedder {str(made_with)[:12]}, but {embedder} is {given[:12]}; "
            "run the stage `index` again, or give the embedder that it was made with"
        )
    device, dtype = choose_device("auto")
    reranker = open_reranker(embedder, dtype=dtype, device=device)
    return KnowledgeStore(folder, SentenceEmbedder(embedder, dtype=dtype), settings, reranker=reranker)


class KnowledgeStore:
    """Finds chunks by their meaning and their words; `deploy.knowledge.hits.Knowledge` in practice."""

    def __init__(
        self,
        folder: Path,
        embedder: Embedder,
        settings: RetrievalSettings,
        *,
        reranker: Reranker | None = None,
    ) -> None:
        self._database = Database(folder / TRUTH)
        self.embedder, self.settings, self._reranker = embedder, settings, reranker
        # What the fusion gives: enough to be put in order anew, where that is done.
        self.num_fused = max(settings.top_k, reranker.candidates if reranker else 0)
        facts = self._database.facts
        if facts["embedder"] != embedder.identity:
            raise KnowledgeError(
                f"{folder} was made with another embedder ({facts['embedder'][:12]}, not "
                f"{embedder.identity[:12]}); run the stage `index` again"
            )
        self.num_documents, self.num_chunks = int(facts["documents"]), int(facts["chunks"])
        self.ranges = self._database.ranges()
        self.filters = self._database.filters
        self.access = Access(self._database.tags(), self.ranges, total=self.num_chunks)
        self.owners = _owners(self.ranges.values(), self.num_chunks)
        dimensions = int(facts["dimensions"])
        derived = read_derived(folder, folder / TRUTH, rows=self.num_chunks, dimensions=dimensions)
        if derived is None:
            _log.warning(
                "the indexes in %s are missing or do not fit its truth: built anew in memory", folder
            )
            kind: DenseKind = "flat" if facts["dense"] == "flat" else "sq8"
            texts, titles = self._database.texts()
            dense = DenseIndex.build(
                self._database.vectors(dimensions),
                kind,
                asked=lambda: embedder.embed_queries(excerpts(texts)),
            )
            derived = dense, LexicalIndex.build(texts, titles)
        self._dense, self.lexical = derived

    def search(
        self,
        queries: Sequence[str],
        *,
        before: Sequence[str] | None = None,
        exclude: Sequence[Collection[str]] | None = None,
        held: Held = None,
    ) -> list[list[Hit]]:
        """For each query its `top_k` best chunks, best first; none where the store is empty.

        `before` has for each query what was said before it; what of it is still asked counts half. `exclude`
        has one collection of document ids for each query, left out inside the search; so are documents that
        are closed to whoever holds the tags `held`.
        """
        said, without = matched(queries, before, exclude)
        if not queries or not self.num_chunks:
            return [[] for _ in queries]
        earlier = self.still_asked(said, queries)
        vectors = self.query_vectors(queries, earlier)
        return [
            self.found(query, kept, vector, self.hide(left_out, held))
            for query, kept, vector, left_out in zip(queries, earlier, vectors, without, strict=True)
        ]

    def still_asked(self, before: Sequence[str], queries: Sequence[str]) -> list[str]:
        """For each query what it still asks of what was said before it."""
        return [still_asked(said, query, self.lexical) for said, query in zip(before, queries, strict=True)]

    @cached_property
    def described(self) -> Mapping[str, Mapping[str, str]]:
        """The metadata of each of its documents that can be found, by its id: read when first asked for."""
        metadata = self._database.metadata()
        return {name: metadata.get(name, _NOTHING) for name in self.ranges}

    def hide(self, documents: Iterable[str], held: Held = None) -> Hidden | None:
        """What a search without these documents leaves out for whoever holds these tags; None: nothing."""
        ranges = [self.ranges[document] for document in documents if document in self.ranges]
        closed = self.access.hidden(held)
        return Hidden.of(ranges, total=self.num_chunks, beside=closed) if ranges else closed

    def close(self) -> None:
        """Close the store's file."""
        self._database.close()

    def query_vectors(self, queries: Sequence[str], before: Sequence[str]) -> Vectors:
        """One row of unit length for each query, with what was said before it at half its weight."""
        vectors = self.embedder.embed_queries(queries)
        places = [place for place, said in enumerate(before) if said]
        if places:
            earlier = self.embedder.embed_queries([before[place] for place in places])
            mixed = vectors[places] + EARLIER * earlier
            vectors[places] = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
        return vectors

    def _words(self, query: str, before: str) -> Scores:
        own = self.lexical.scores(query)
        return own + EARLIER * self.lexical.scores(before) if before else own

    def shortlist(
        self, query: str, before: str, vector: Vectors, hidden: Hidden | None
    ) -> tuple[Positions, Scores, Scores]:
        """The chunks that may be among the best: their positions, and scores by meaning and by words."""
        words = self._words(query, before)
        if hidden is not None:
            words[hidden.rows] = 0.0
        count = max(self.settings.candidates, self.settings.top_k)
        near = self._dense.best(vector, count, hidden=hidden)
        candidates = np.union1d(near, self.lexical.best(words, count))
        return candidates, self._dense.scores(vector, candidates), words[candidates]

    def found(self, query: str, before: str, vector: Vectors, hidden: Hidden | None) -> list[Hit]:
        """The `top_k` best chunks for a question with its vector, best first, without the hidden ones."""
        candidates, meant, words = self.shortlist(query, before, vector, hidden)
        how = self.settings
        scores = fuse(meant, words, dense_weight=how.dense_weight, by=how.fusion)
        best = spread(scores, self.owners[candidates], candidates, count=self.num_fused)
        chosen = np.array([candidates[at] for at, _ in best], dtype=np.int64)
        return self.best(query, before, self.hits(chosen, [score for _, score in best], query, before))

    def best(self, query: str, before: str, fused: list[Hit]) -> list[Hit]:
        """The `top_k` best of the hits that the fusion has found, in the reranker's order if there is one."""
        hits = self._reranker.rerank(query, before, fused) if self._reranker else fused
        return hits[: self.settings.top_k]

    def hits(self, found: Positions, scores: Sequence[float], query: str, before: str) -> list[Hit]:
        """The chunks at the positions `found`, with these scores and what they cover of the question."""
        # A follow-up asks for what was said before as well, and its own words are few.
        covered = self.lexical.coverage([query, before], found)
        return [
            self._database.hit(int(chunk), score=score, coverage=float(coverage))
            for chunk, score, coverage in zip(found, scores, covered, strict=True)
        ]


def _owners(ranges: Iterable[tuple[int, int]], chunks: int) -> Positions:
    """For each chunk the first of its document: what tells whether two are of one."""
    owners = np.arange(chunks, dtype=np.int64)
    for first, end in ranges:
        owners[first:end] = first
    return owners
