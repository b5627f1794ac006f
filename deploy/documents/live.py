"""The knowledge of a bundle with documents that come and go while it is served.

The bundle's store stays as it was verified. What was added since lies beside it and is searched exactly
(`fresh`); documents of the store that were replaced or deleted are left out inside its search. A change is
there from the next question on, and stays when the server restarts or a new release is served.
"""

import threading
from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate, pairwise
from pathlib import Path

from deploy.documents.additions import Additions
from deploy.documents.both import search_both
from deploy.documents.segment import FreshDocument
from deploy.documents.state import State
from deploy.documents.view import View
from deploy.errors import ClosedError, KnowledgeError
from deploy.knowledge.chunking import Chunk, KnowledgeDocument
from deploy.knowledge.hits import Hit, matched
from deploy.knowledge.store import KnowledgeStore
from deploy.knowledge.tags import Held, is_open

MOST_CHUNKS = 50_000  # added while serving; a search looks at each, so more belong into the sources of a run


class LiveKnowledge:
    """`deploy.knowledge.hits.Knowledge` over a store and what changed since; any thread may ask or change.

    Chunks are cut at `chunk_words`, as those of the store were.
    """

    def __init__(self, store: KnowledgeStore, folder: Path, *, chunk_words: int) -> None:
        self.store = store
        self._additions = Additions(folder, made_by=f"{store.embedder.identity} {chunk_words}")
        self._changing = threading.Lock()
        self._state = State(store, self._additions, chunk_words=chunk_words)
        self._view = self._state.read()
        self._compacting: threading.Thread | None = None
        self._closed = False

    def files(self) -> list[Path]:
        """The files that hold what was added."""
        path = self._additions.path
        return sorted(each for each in path.parent.iterdir() if each.name.startswith(path.name))

    def texts(self, name: str) -> list[str]:
        """What the document called `name` says, as it was added; none where it was not."""
        added = self._current().index.documents.get(name)
        return [added.document.text] if added else []

    def search(
        self,
        queries: Sequence[str],
        *,
        before: Sequence[str] | None = None,
        exclude: Sequence[Collection[str]] | None = None,
        held: Held = None,
    ) -> list[list[Hit]]:
        """For each query its best chunks, best first, as `Knowledge` has it.

        Documents with tags are left out inside the search, unless one of them is among the tags `held`; None
        finds all.
        """
        said, without = matched(queries, before, exclude)
        view = self._current()
        if not queries or not (self.store.num_chunks or len(view.index)):
            return [[] for _ in queries]
        earlier = self.store.still_asked(said, queries)
        vectors = self.store.query_vectors(queries, earlier)
        return [
            search_both(view, query, kept, vector, exclude=left_out, held=held)
            for query, kept, vector, left_out in zip(queries, earlier, vectors, without, strict=True)
        ]

    def documents(self, held: Held = None) -> list[tuple[KnowledgeDocument, int]]:
        """What was added and is open to whoever holds these tags, each with the number of its chunks."""
        return [
            (each.document, len(each.chunks))
            for _, each in sorted(self._current().index.documents.items())
            if is_open(each.document.tags, held)
        ]

    @property
    def filters(self) -> tuple[str, ...]:
        """The names of the metadata by which a search can be kept to documents."""
        return self.store.filters

    @property
    def described(self) -> Mapping[str, Mapping[str, str]]:
        """The metadata of all documents, those of the store and those that were added, by their ids."""
        return self._current().described()

    def values(self, held: Held = None) -> dict[str, list[str]]:
        """For each of its filters the values of documents that whoever holds these tags sees, in order."""
        view = self._current()
        found: dict[str, set[str]] = {name: set() for name in self.filters}
        for document, metadata in view.described().items() if found else ():
            if view.has(document) and view.is_open(document, held):
                for name in found.keys() & metadata.keys():
                    found[name].add(metadata[name])
        return {name: sorted(values) for name, values in found.items()}

    def has(self, name: str) -> bool:
        """Whether there is a document of this name, in the store or among those that were added."""
        return self._current().has(name)

    def tagged(self) -> Collection[str]:
        """The documents that have tags, those of the store and those that were added."""
        return self._current().tagged

    def check_open(self, name: str, held: Held) -> None:
        """Return if whoever holds these tags sees the document called `name`, or there is none.

        Raises:
            ClosedError: they do not.
        """
        _check_open(self._current(), name, held)

    def put(self, document: KnowledgeDocument, held: Held = None) -> int:
        """Add a document, or replace the one of its id, also one of the store; the number of its chunks.

        Raises:
            ClosedError: whoever holds the tags `held` does not see the one that it would replace.
            KnowledgeError: it has no words, or there are too many documents by now.
        """
        [chunks] = self.put_all([document], held)
        return chunks

    def put_all(self, documents: Sequence[KnowledgeDocument], held: Held = None) -> list[int]:
        """`put` for each, in order; they are embedded together, in half the time that they take one by one.

        Raises:
            ClosedError: as `put`; those before it were added.
            KnowledgeError: as `put`; none was added.
        """
        cut = [self._state.cut(document) for document in documents]
        self._check_room(documents, cut)
        vectors = self._state.embedded([chunk for chunks in cut for chunk in chunks])
        sizes = [len(chunks) for chunks in cut]
        places = pairwise(accumulate(sizes, initial=0))
        for document, chunks, (start, end) in zip(documents, cut, places, strict=True):
            fresh = FreshDocument(document, chunks, vectors[start:end])
            with self._changing:
                view = self._refreshed()
                _check_open(view, document.id, held)  # somebody may have added it meanwhile
                self._replace(self._state.put(view, fresh))
        return sizes

    def delete(self, name: str, held: Held = None) -> bool:
        """Delete a document that was added, and hide the one of the store.

        Gives whether there was any that whoever holds the tags `held` sees; what they do not see stays.
        """
        with self._changing:
            view = self._refreshed()
            if not view.is_open(name, held):
                return False
            after, was_there = self._state.delete(view, name)
            self._replace(after)
        return was_there

    def close(self) -> None:
        """Close both files."""
        self._closed = True
        if self._compacting:
            self._compacting.join()
        self._additions.close()
        self.store.close()

    def _check_room(self, documents: Sequence[KnowledgeDocument], cut: Sequence[Sequence[Chunk]]) -> None:
        index = self._current().index
        sizes: dict[str, int] = {}
        total = len(index)
        for document, chunks in zip(documents, cut, strict=True):
            if not chunks:
                raise KnowledgeError(f"the document {document.id} has no words; send its text")
            before = index.documents.get(document.id)
            total += len(chunks) - sizes.get(document.id, len(before.chunks) if before else 0)
            sizes[document.id] = len(chunks)
            if total > MOST_CHUNKS:
                raise KnowledgeError(
                    f"{document.id} has {len(chunks)} passages, and there is no room for them: at most "
                    f"{MOST_CHUNKS} can be added while serving; put documents into the sources of a run "
                    "(docs/serving.md), or delete some"
                )

    def _current(self) -> View:
        """The view, made anew where another process has changed something."""
        view = self._view
        if self._additions.version() == view.version:
            return view
        with self._changing:
            return self._refreshed()

    def _refreshed(self) -> View:
        """The same for who holds the lock."""
        if self._additions.version() != self._view.version:
            self._replace(self._state.read(self._view))
        return self._view

    def _replace(self, view: View) -> None:
        """Let `view` be what is live, and see to its segments in the background; who calls holds the lock."""
        self._view = view
        if view.index.is_scattered and not (self._compacting and self._compacting.is_alive()):
            self._compacting = threading.Thread(target=self._compact, name="compaction", daemon=True)
            self._compacting.start()

    def _compact(self) -> None:
        """Lay the added chunks out in few segments, as long as there is need.

        Searches go on in the segments of before. What changes meanwhile is done once more to the new ones.
        """
        while (before := self._view.index).is_scattered and not self._closed:
            compacted = before.compacted()
            with self._changing:
                self._view = self._view.over(compacted.followed_by(self._view.index))


def _check_open(view: View, name: str, held: Held) -> None:
    if not view.is_open(name, held):
        raise ClosedError(f"{name!r} is the name of a document that this key does not see; take another")
