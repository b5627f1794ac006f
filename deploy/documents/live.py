"""The knowledge of a bundle with documents that come and go while it is served.

The bundle's store stays as it was verified. What was added since lies beside it, few and searched exactly
(`fresh`); documents of the store that were replaced or deleted are left out inside its search. A change is
there from the next question on, and stays when the server restarts or a new release is served.
"""

import re
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from deploy.documents.additions import Additions
from deploy.documents.fresh import FreshDocument, FreshIndex
from deploy.errors import KnowledgeError
from deploy.knowledge.arrays import Positions, Scores, Vectors
from deploy.knowledge.chunking import Chunk, KnowledgeDocument, chunk_documents
from deploy.knowledge.fusion import fuse, spread
from deploy.knowledge.hits import Hit
from deploy.knowledge.store import EARLIER, KnowledgeStore
from deploy.knowledge.vectors import chunk_vectors

_HEAD = re.compile(r"^(\s*)\[(\d+)\]", re.MULTILINE)
MOST_CHUNKS = 5_000  # added while serving; more belong into the sources of a run


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """What is live: replaced as a whole, so that a search never meets half a change."""

    version: tuple[int, int]
    documents: dict[str, FreshDocument]
    index: FreshIndex
    hidden: frozenset[str]
    tags: dict[str, frozenset[str]]

    def closed(self, held: Collection[str] | None) -> set[str]:
        """The documents that whoever holds these tags must not see; None sees all."""
        return set() if held is None else {name for name, tags in self.tags.items() if tags.isdisjoint(held)}


class LiveKnowledge:
    """`deploy.knowledge.hits.Knowledge` over a store and what changed since; any thread may ask or change.

    Chunks are cut at `chunk_words`, as those of the store were.
    """

    def __init__(self, store: KnowledgeStore, folder: Path, *, chunk_words: int) -> None:
        self.store, self._chunk_words = store, chunk_words
        self._additions = Additions(folder, made_by=f"{store.embedder.identity} {chunk_words}")
        self._changing = threading.Lock()
        self._view = self._loaded({})

    def files(self) -> list[Path]:
        """The files that hold what was added."""
        path = self._additions.path
        return sorted(each for each in path.parent.iterdir() if each.name.startswith(path.name))

    def texts(self, name: str) -> list[str]:
        """What the document called `name` says, as it was added; none where it was not."""
        return [document.text for document, _ in self.documents() if document.id == name]

    def search(
        self,
        queries: Sequence[str],
        *,
        before: Sequence[str] | None = None,
        exclude: Sequence[Collection[str]] | None = None,
        held: Collection[str] | None = None,
    ) -> list[list[Hit]]:
        """For each query its best chunks, best first, as `Knowledge` has it.

        Documents with tags are left out inside the search, unless one of them is among the tags `held`; None
        finds all.
        """
        view = self._current()
        closed = view.closed(held)
        without = [{*each, *closed} for each in (exclude if exclude is not None else [()] * len(queries))]
        hidden = [{*each, *view.hidden, *view.documents} for each in without]
        if not len(view.index):
            return self.store.search(queries, before=before, exclude=hidden)
        earlier = before if before is not None else [""] * len(queries)
        vectors = self.store.query_vectors(queries, earlier)
        return [
            self._search(view, query, said, vector, old, new)
            for query, said, vector, old, new in zip(queries, earlier, vectors, hidden, without, strict=True)
        ]

    def documents(self, held: Collection[str] | None = None) -> list[tuple[KnowledgeDocument, int]]:
        """What was added and is open to whoever holds these tags, each with the number of its chunks."""
        view = self._current()
        closed = view.closed(held)
        return [
            (each.document, len(each.chunks)) for name, each in view.documents.items() if name not in closed
        ]

    def names(self) -> Collection[str]:
        """The ids of all documents, those of the store and those that were added."""
        return {*self.store.names(), *(document.id for document, _ in self.documents())}

    def tags(self) -> Mapping[str, frozenset[str]]:
        """The tags of each document that has any."""
        return self._current().tags

    def is_closed(self, name: str, held: Collection[str] | None) -> bool:
        """Whether whoever holds these tags must not see the document that was added as `name`."""
        return name in self._current().closed(held)

    def put(self, document: KnowledgeDocument, tags: Collection[str] = ()) -> int:
        """Add a document, or replace the one of its id, also one of the store; the number of its chunks.

        With `tags`, only searches that hold one of them find it.

        Raises:
            KnowledgeError: it has no words, or there are too many documents by now.
        """
        chunks = self._cut(document)
        if not chunks:
            raise KnowledgeError(f"the document {document.id} has no words; send its text")
        view = self._current()
        others = sum(len(each.chunks) for name, each in view.documents.items() if name != document.id)
        if others + len(chunks) > MOST_CHUNKS:
            raise KnowledgeError(
                f"{document.id} has {len(chunks)} passages, and {others} of at most {MOST_CHUNKS} were added "
                "while serving; put documents into the sources of a run (docs/serving.md), or delete some"
            )
        vectors = self._embedded(chunks)
        with self._changing:
            self._additions.put(document, vectors, tags)
            known = {**self._view.documents, document.id: FreshDocument(document, chunks, vectors)}
            self._view = self._loaded(known)
        return len(chunks)

    def delete(self, name: str) -> bool:
        """Delete a document that was added, and hide the one of the store; whether there was any."""
        with self._changing:
            added = self._additions.delete(name)
            stored = name in self.store.ranges and name not in self._view.hidden
            if stored:
                self._additions.hide(name)
            self._view = self._loaded(self._view.documents)
        return added or stored

    def close(self) -> None:
        """Close both files."""
        self._additions.close()
        self.store.close()

    def _current(self) -> _View:
        """The view, made anew where another process has changed something."""
        view = self._view
        if self._additions.version() == view.version:
            return view
        with self._changing:
            self._view = self._loaded(self._view.documents)
            return self._view

    def _loaded(self, known: dict[str, FreshDocument]) -> _View:
        """What the file says; of documents that are `known` and unchanged nothing is made anew."""
        version = self._additions.version()
        documents = {each.id: self._made(each, known.get(each.id)) for each in self._additions.documents()}
        dimensions = self.store.embedder.dimensions
        index = FreshIndex(list(documents.values()), self.store.lexical, dimensions=dimensions)
        hidden = self._additions.hidden()
        tags = self._additions.tags()
        return _View(version=version, documents=documents, index=index, hidden=hidden, tags=tags)

    def _made(self, document: KnowledgeDocument, known: FreshDocument | None) -> FreshDocument:
        if known is not None and known.document == document:
            return known
        chunks = self._cut(document)
        vectors = self._additions.vectors(document.id, dimensions=self.store.embedder.dimensions)
        if vectors is None or len(vectors) != len(chunks):
            vectors = self._embedded(chunks)
            self._additions.keep_vectors(document.id, vectors)
        return FreshDocument(document, chunks, vectors)

    def _cut(self, document: KnowledgeDocument) -> tuple[Chunk, ...]:
        plain = replace(document, title=unforged(document.title), text=unforged(document.text))
        return tuple(chunk_documents([plain], max_words=self._chunk_words))

    def _embedded(self, chunks: Sequence[Chunk]) -> Vectors:
        return chunk_vectors(chunks, self.store.embedder, known={}, progress=lambda _: None)

    def _search(
        self, view: _View, query: str, before: str, vector: Vectors, old: set[str], new: Collection[str]
    ) -> list[Hit]:
        store, fresh = self.store, view.index
        positions, meant, words = store.shortlist(query, before, vector, old)
        fresh_meant = fresh.meant(vector)
        worded = fresh.worded(query) + (EARLIER * fresh.worded(before) if before else 0.0)
        places = _best(fresh_meant, worded, fresh.hidden(new), store.settings.candidates)
        scores = fuse(
            np.concatenate([meant, fresh_meant[places]]),
            np.concatenate([words, worded[places]]),
            dense_weight=store.settings.dense_weight,
        )
        owners = np.concatenate([store.owners[positions], store.num_chunks + fresh.owners[places]])
        order = np.concatenate([positions, store.num_chunks + places])
        hits: list[Hit] = []
        for at, score in spread(scores, owners, order, count=store.settings.top_k):
            if at < len(positions):
                hits += store.hits(positions[at : at + 1], [score], query, before)
            else:
                place = int(places[at - len(positions)])
                hits.append(fresh.hit(place, score=score, query=query, before=before))
        return hits


def unforged(text: str) -> str:
    """`text` without line heads such as `[2]`, by which a prompt tells sources apart: they are `(2)` then.

    Whoever may add a document could else put words into the mouth of another one.
    """
    return _HEAD.sub(r"\1(\2)", text)


def _best(meant: Scores, worded: Scores, hidden: Scores, count: int) -> Positions:
    """The chunks that may be among the best: `count` by meaning, and as many by words that they share."""
    shown = np.flatnonzero(hidden == 0.0)
    near = shown[np.argsort(-meant[shown], kind="stable")[:count]]
    sharing = shown[worded[shown] > 0.0]
    sharing = sharing[np.argsort(-worded[sharing], kind="stable")[:count]]
    return np.union1d(near, sharing)
