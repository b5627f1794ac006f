"""What a search of the knowledge finds."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One chunk that a search found; `score` is in 0..1, higher is better."""

    chunk: int
    document: str
    uri: str
    title: str
    text: str
    score: float


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

        `before` has for each query what was said before it, which a follow-up leaves out; it counts half.

        `exclude` has one collection of document ids for each query; those documents are left out inside the
        search, so that still `top_k` others are found.
        """
        ...
