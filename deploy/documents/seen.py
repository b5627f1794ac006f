"""The documents as somebody sees them who holds certain tags."""

from collections.abc import Collection, Sequence

from deploy.documents.live import LiveKnowledge
from deploy.knowledge.hits import Hit, Knowledge


class Seen:
    """`deploy.knowledge.hits.Knowledge` of what whoever holds the tags `held` may see."""

    def __init__(self, known: LiveKnowledge, held: Collection[str]) -> None:
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


def seen_by(knowledge: Knowledge | None, held: Collection[str] | None) -> Knowledge | None:
    """`knowledge` less what is closed to whoever holds these tags; None sees all."""
    return Seen(knowledge, held) if isinstance(knowledge, LiveKnowledge) and held is not None else knowledge
