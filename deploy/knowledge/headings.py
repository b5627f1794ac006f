"""Sections of a text by its Markdown headings, so that each piece of one can say what it stands under."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*)")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_BETWEEN = " > "


@dataclass(frozen=True, slots=True)
class Section:
    """Text without headings, and those that it stands under, the highest first."""

    headings: tuple[str, ...]
    text: str

    def above(self, title: str, *, max_words: int) -> str:
        """The headings as one line, without that which is the document's title; the lowest that have room.

        There are `max_words`, in which the signs between them count.
        """
        shown = ""
        for heading in reversed(self.headings):
            longer = f"{heading}{_BETWEEN}{shown}" if shown else heading
            if heading != title and len(longer.split()) <= max_words:
                shown = longer
        return shown


def sections(text: str, *, max_words: int) -> list[Section]:
    """The sections of `text` in order; a text without headings is one, as it stands.

    A `#` in a block of code is no heading, nor is a line of more than `max_words`: they stay text. A heading
    with nothing but others below it is no section; one with nothing at all is one without text.
    """
    found: list[Section] = []
    above: dict[int, str] = {}
    lines: list[str] = []

    def close(below: int) -> None:
        text = "\n".join(lines)
        if text.strip() or (above and max(above) >= below):
            found.append(Section(tuple(above.values()), text))
        lines.clear()

    for line, level, heading in _levels(text, max_words):
        if level:
            close(level)
            above = {depth: each for depth, each in above.items() if depth < level} | {level: heading}
        else:
            lines.append(line)
    close(0)
    return found


def first_heading(text: str) -> str:
    """The words of the first heading; empty without one."""
    return next((heading for _, level, heading in _levels(text, len(text)) if level), "")


def _levels(text: str, max_words: int) -> Iterator[tuple[str, int, str]]:
    """Each line with the level and the words of the heading that it is; level 0 for one that is none."""
    fence = ""
    for line in text.split("\n"):
        if marks := _FENCE.match(line):
            if not fence:
                fence = marks[1]
            elif marks[1].startswith(fence) and marks.end() == len(line.rstrip()):
                fence = ""
        heading = None if fence or marks else _HEADING.match(line)
        told = _unclosed(heading[2]) if heading else ""
        if heading and 0 < len(told.split()) <= max_words:
            yield line, len(heading[1]), told
        else:
            yield line, 0, ""


def _unclosed(heading: str) -> str:
    """A heading without the `#` that may close it, which stand behind a blank (CommonMark 0.31, 4.2).

    By hand, since a pattern that looks for both ends tries each blank of a long run with each other.
    """
    words = heading.strip()
    bare = words.rstrip("#")
    return words if bare and not bare[-1].isspace() else bare.rstrip()
