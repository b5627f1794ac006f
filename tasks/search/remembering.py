"""Knowledge that is asked the same questions again: every trial is trained on the same rows."""

from collections.abc import Collection, Sequence

from deploy.knowledge.hits import Hit, Knowledge

Asked = tuple[tuple[str, ...], tuple[frozenset[str], ...] | None]


class Remembering:
    """Finds what `knowledge` finds, and looks only once for equal lists of questions."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._found: dict[Asked, list[list[Hit]]] = {}

    def search(
        self, queries: Sequence[str], *, exclude: Sequence[Collection[str]] | None = None
    ) -> list[list[Hit]]:
        """For each query its best chunks, best first."""
        asked: Asked = (tuple(queries), None if exclude is None else tuple(map(frozenset, exclude)))
        if asked not in self._found:
            self._found[asked] = self._knowledge.search(queries, exclude=exclude)
        return self._found[asked]
