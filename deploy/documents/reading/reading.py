"""What a reader gives: a title and text as Markdown."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A document as it was read.

    `title` is empty where it has none. Each of `notes` is a sentence about what was left out of the text.
    """

    title: str
    text: str
    notes: tuple[str, ...] = ()
