"""What a search of the knowledge finds."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One chunk that a search found; `score` is in 0..1, higher is better.

    `coverage` is how much of what is asked the chunk holds, in 0..1: the share of its terms, weighted by how
    rare they are. Unlike `score` it does not depend on what else was found: it compares between questions.
    """

    chunk: int
    document: str
    uri: str
    title: str
    text: str
    score: float
    coverage: float = 0.0


class Knowledge(Protocol):
    """Anything that finds chunks for questions."""

    def search(
        self,
        queries: Sequence[str],
        *,
        before: Sequence[str] | None = None,
        exclude: Sequence[Collection[str]] | None = None,
    ) -> list[list[Hit]]:
        """For each query its best chunks, best first.

        `before` has for each query what was said before it, which a follow-up leaves out; what of it is still
        asked counts half.

        `exclude` has one collection of document ids for each query; those documents are left out inside the
        search, so that still `top_k` others are found.
        """
        ...


def matched(
    queries: Sequence[str], before: Sequence[str] | None, exclude: Sequence[Collection[str]] | None
) -> tuple[Sequence[str], Sequence[Collection[str]]]:
    """What was said before each query, and what it leaves out: nothing where it is not given.

    Raises:
        ValueError: there are not as many as queries.
    """
    for name, given in (("earlier turns", before), ("exclusions", exclude)):
        if given is not None and len(given) != len(queries):
            raise ValueError(f"{len(queries)} queries, but {len(given)} {name}")
    return (
        before if before is not None else [""] * len(queries),
        exclude if exclude is not None else [()] * len(queries),
    )
