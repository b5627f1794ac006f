"""The file of what was added, as a view to search: read once, and after a change only what differs."""

from collections.abc import Mapping, Sequence

from deploy.documents.additions import Additions
from deploy.documents.fresh import FreshIndex
from deploy.documents.segment import FreshDocument
from deploy.documents.view import View
from deploy.knowledge.arrays import Vectors
from deploy.knowledge.chunking import Chunk, KnowledgeDocument, chunk_documents
from deploy.knowledge.store import KnowledgeStore
from deploy.knowledge.vectors import chunk_vectors


class State:
    """Makes the views over `store` of what `additions` holds; chunks are cut at `chunk_words`."""

    def __init__(self, store: KnowledgeStore, additions: Additions, *, chunk_words: int) -> None:
        self._store, self._additions, self._chunk_words = store, additions, chunk_words

    def cut(self, document: KnowledgeDocument) -> tuple[Chunk, ...]:
        """The chunks of a document, none where it has no words."""
        return tuple(chunk_documents([document], max_words=self._chunk_words))

    def embedded(self, chunks: Sequence[Chunk]) -> Vectors:
        """The vectors of chunks."""
        return chunk_vectors(chunks, self._store.embedder, known={}, progress=lambda _: None)

    def put(self, view: View, fresh: FreshDocument) -> View:
        """Put a document into the file; the view after it."""
        name = fresh.document.id
        stamp = self._additions.put(fresh.document, fresh.vectors)
        return self._changed(
            view,
            view.index.with_document(fresh),
            stamps={**view.stamps, name: stamp},
            gone=view.gone,
        )

    def delete(self, view: View, name: str) -> tuple[View, bool]:
        """Delete a document from the file, and hide the one of the store.

        Gives the view after it, and whether there was any.
        """
        stored = name in self._store.ranges and name not in view.gone
        added = self._additions.delete(name, hide=stored)
        after = self._changed(
            view,
            view.index.without(name),
            stamps={each: stamp for each, stamp in view.stamps.items() if each != name},
            gone=view.gone | {name} if stored else view.gone,
        )
        return after, added or stored

    def read(self, view: View | None = None) -> View:
        """What the file says; of a `view` that was read before, what has not changed since is taken over."""
        while True:
            version, stamps = self._additions.version(), self._additions.stamps()
            index = self._index(view, stamps)
            view = self._view(index, version=version, stamps=stamps, gone=self._additions.hidden())
            if self._additions.version() == version:
                return view

    def _changed(
        self,
        view: View,
        index: FreshIndex,
        *,
        stamps: Mapping[str, int | None],
        gone: frozenset[str],
    ) -> View:
        """The view after a change of our own; what other processes have changed is read."""
        after = self._view(index, version=view.version, stamps=stamps, gone=gone)
        return after if self._additions.version() == view.version else self.read(after)

    def _index(self, view: View | None, stamps: Mapping[str, int | None]) -> FreshIndex:
        """The index of `view` brought to the versions of documents that `stamps` names."""
        before = view.index.documents if view else {}
        same = {
            name: before[name]
            for name, stamp in stamps.items()
            if view and name in before and stamp is not None and view.stamps.get(name) == stamp
        }
        made = [fresh for name in stamps if name not in same if (fresh := self._made(name)) is not None]
        if view is None or len(made) > len(same):
            dimensions = self._store.embedder.dimensions
            return FreshIndex.of([*same.values(), *made], self._store.lexical, dimensions=dimensions)
        index = view.index
        for name in before.keys() - same.keys():
            index = index.without(name)
        for fresh in made:
            index = index.with_document(fresh)
        return index

    def _made(self, name: str) -> FreshDocument | None:
        """A document as it stands in the file; None where it has gone meanwhile."""
        document = self._additions.document(name)
        if document is None:
            return None
        chunks = self.cut(document)
        vectors = self._additions.vectors(name, dimensions=self._store.embedder.dimensions)
        if vectors is None or len(vectors) != len(chunks):
            vectors = self.embedded(chunks)
            self._additions.keep_vectors(name, vectors)
        return FreshDocument(document, chunks, vectors)

    def _view(
        self,
        index: FreshIndex,
        *,
        version: int,
        stamps: Mapping[str, int | None],
        gone: frozenset[str],
    ) -> View:
        return View(store=self._store, version=version, stamps=stamps, index=index, gone=gone)
