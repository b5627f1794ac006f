"""Knowledge that is a list of hits: for tests that need sources, but no search."""

from collections.abc import Collection, Sequence

from deploy.knowledge.hits import Hit


class ListedKnowledge:
    """Finds the same hits for every question, less those of excluded documents."""

    def __init__(self, hits: Sequence[Hit], *, top_k: int = 3) -> None:
        self._hits, self._top_k = tuple(hits), top_k

    def search(
        self, queries: Sequence[str], *, exclude: Sequence[Collection[str]] | None = None
    ) -> list[list[Hit]]:
        """The first `top_k` hits that are not excluded, for each query."""
        without = exclude if exclude is not None else [()] * len(queries)
        return [
            [hit for hit in self._hits if hit.document not in left_out][: self._top_k] for left_out in without
        ]
