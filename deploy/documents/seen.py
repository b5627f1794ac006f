"""The documents that a search may find: what somebody may see, and of that what somebody asks for."""

from collections.abc import Collection, Sequence

from deploy.documents.live import LiveKnowledge
from deploy.documents.wanted import ALL, Wanted, check_filters
from deploy.errors import KnowledgeError
from deploy.knowledge.hits import Hit, Knowledge
from deploy.knowledge.store import KnowledgeStore
from deploy.knowledge.tags import Held


class Seen:
    """`deploy.knowledge.hits.Knowledge` of what whoever holds the tags `held` may see; None sees all."""

    def __init__(self, known: LiveKnowledge | KnowledgeStore, held: Held) -> None:
        self._known, self._held = known, held

    def search(
        self,
        queries: Sequence[str],
        *,
        before: Sequence[str] | None = None,
        exclude: Sequence[Collection[str]] | None = None,
    ) -> list[list[Hit]]:
        """For each query its best chunks, best first, as `Knowledge` has it."""
        return self._known.search(queries, before=before, exclude=exclude, held=self._held)


class Among:
    """`deploy.knowledge.hits.Knowledge` of the documents that are `wanted`.

    The others are left out inside the search, so that still as many are found. `documents` are all
    that there are.
    """

    def __init__(self, known: Knowledge, wanted: Wanted, documents: LiveKnowledge | KnowledgeStore) -> None:
        self._known, self._wanted, self._documents = known, wanted, documents

    def search(
        self,
        queries: Sequence[str],
        *,
        before: Sequence[str] | None = None,
        exclude: Sequence[Collection[str]] | None = None,
    ) -> list[list[Hit]]:
        """For each query its best chunks, best first, as `Knowledge` has it."""
        fits = self._wanted.fits
        others = {name for name, metadata in self._documents.described.items() if not fits(name, metadata)}
        without = (
            [others.union(names) for names in exclude] if exclude is not None else [others] * len(queries)
        )
        return self._known.search(queries, before=before, exclude=without)


def tagged_in(knowledge: Knowledge | None) -> Collection[str]:
    """The documents of `knowledge` that have tags, which not everybody may see."""
    match knowledge:
        case LiveKnowledge():
            return knowledge.tagged()
        case KnowledgeStore():
            return knowledge.access.tags
        case _:
            return ()


def seen_by(knowledge: Knowledge | None, held: Held, wanted: Wanted = ALL) -> Knowledge | None:
    """Of `knowledge` the `wanted` documents, less what is closed to whoever holds the tags `held`; None: all.

    Raises:
        FilterError: they are wanted by metadata that there is not.
        KnowledgeError: it cannot be told which documents there are.
    """
    documents = knowledge if isinstance(knowledge, LiveKnowledge | KnowledgeStore) else None
    open_to = Seen(documents, held) if documents is not None and held is not None else knowledge
    if open_to is None or not wanted:
        return open_to
    if documents is None:
        raise KnowledgeError(
            "this knowledge has no list of its documents; ask without threeply.documents and threeply.where"
        )
    check_filters(wanted.where, documents.filters)
    return Among(open_to, wanted, documents)
