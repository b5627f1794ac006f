"""What a model is asked: the messages, and the sources that are shown in them."""

from collections.abc import Sequence
from dataclasses import dataclass

from deploy.knowledge.hits import Hit
from deploy.messages import Message
from deploy.prompts.template import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """What the model is asked, and the sources shown to it, best first.

    `covered` is in 0..1 how much of the question each of those that were found covers; None where none were
    looked for. `left_out` of them had no room in the model's context.
    """

    messages: tuple[Message, ...]
    sources: tuple[Source, ...]
    covered: tuple[float, ...] | None = None
    left_out: int = 0

    @property
    def coverage(self) -> float | None:
        """How much of the question the best of the shown sources covers; None where none were looked for."""
        return None if self.covered is None else max(self.covered[: len(self.sources)], default=0.0)


def coverages(composed: Sequence[Composed]) -> list[float] | None:
    """The coverage of each prompt, or None where one of them has none, as with retrieval off."""
    found = [each.coverage for each in composed if each.coverage is not None]
    return found if len(found) == len(composed) else None


def numbered(hits: Sequence[Hit]) -> tuple[Source, ...]:
    """The sources that a prompt shows for what was found, with their numbers."""
    return tuple(
        Source(
            number=number,
            document=hit.document,
            uri=hit.uri,
            title=hit.title,
            text=hit.text,
            chunk=hit.chunk,
        )
        for number, hit in enumerate(hits, start=1)
    )
