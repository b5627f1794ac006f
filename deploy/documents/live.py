"""The knowledge of a bundle with documents that come and go while it is served.

The bundle's store stays as it was verified. What was added since lies beside it and is searched exactly
(`fresh`); documents of the store that were replaced or deleted are left out inside its search. A change is
there from the next question on, and stays when the server restarts or a new release is served.
"""

import threading
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from deploy.documents.additions import Additions
from deploy.documents.both import search_both
from deploy.documents.segment import FreshDocument
from deploy.documents.state import State
from deploy.documents.view import View
from deploy.errors import KnowledgeError
from deploy.knowledge.chunking import KnowledgeDocument
from deploy.knowledge.hits import Hit, matched
from deploy.knowledge.store import KnowledgeStore

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
        held: Collection[str] | None = None,
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
            search_both(self.store, view, query, kept, vector, exclude=left_out, held=held)
            for query, kept, vector, left_out in zip(queries, earlier, vectors, without, strict=True)
        ]

    def documents(self, held: Collection[str] | None = None) -> list[tuple[KnowledgeDocument, int]]:
        """What was added and is open to whoever holds these tags, each with the number of its chunks."""
        view = self._current()
        closed = view.closed(held)
        return [
            (each.document, len(each.chunks))
            for name, each in sorted(view.index.documents.items())
            if name not in closed
        ]

    def names(self) -> Collection[str]:
        """The ids of all documents, those of the store and those that were added."""
        return {*self.store.names(), *self._current().index.documents}

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
        chunks = self._state.cut(document)
        if not chunks:
            raise KnowledgeError(f"the document {document.id} has no words; send its text")
        view = self._current()
        before = view.index.documents.get(document.id)
        others = len(view.index) - (len(before.chunks) if before else 0)
        if others + len(chunks) > MOST_CHUNKS:
            raise KnowledgeError(
                f"{document.id} has {len(chunks)} passages, and {others} of at most {MOST_CHUNKS} were added "
                "while serving; put documents into the sources of a run (docs/serving.md), or delete some"
            )
        fresh = FreshDocument(document, chunks, self._state.embedded(chunks))
        with self._changing:
            self._replace(self._state.put(self._view, fresh, tags))
        return len(chunks)

    def delete(self, name: str) -> bool:
        """Delete a document that was added, and hide the one of the store; whether there was any."""
        with self._changing:
            view, was_there = self._state.delete(self._view, name)
            self._replace(view)
        return was_there

    def close(self) -> None:
        """Close both files."""
        self._closed = True
        if self._compacting:
            self._compacting.join()
        self._additions.close()
        self.store.close()

    def _current(self) -> View:
        """The view, made anew where another process has changed something."""
        view = self._view
        if self._additions.version() == view.version:
            return view
        with self._changing:
            if self._additions.version() != self._view.version:  # nor has another thread read it meanwhile
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
