"""Writes Markdown block by block: what a reader of another format has found is told to it in order.

It is written for search: passages are cut at blank lines, so each item of a list and each row of a table is
a paragraph. A row names its columns (`Option: C; Default: 1.0`), since it may be read without those above it.
"""

import re
from dataclasses import dataclass

BREAK = "\u2028"  # a line that ends inside a paragraph
_DEEPEST = 8  # lists in lists that are indented; below that they stand as the last one
_TICKS = re.compile("`+")


@dataclass(slots=True)
class _List:
    ordered: bool
    number: int = 0
    opening: bool = False  # the next block is the first of an item


class MarkdownWriter:
    """The blocks of a document in the order in which they end; `text` gives them."""

    def __init__(self) -> None:
        self.blocks: list[str] = []
        self._words: list[str] = []
        self._lists: list[_List] = []
        self._term = ""

    @property
    def text(self) -> str:
        """All that was written, a blank line between two blocks."""
        return "\n\n".join(self.blocks)

    def write(self, text: str) -> None:
        """Go on with the block that is open; blanks and line ends are one blank each."""
        self._words.append(text)

    def mark(self) -> int:
        """The place up to which the open block is written; see `since`."""
        return len(self._words)

    def since(self, mark: int) -> str:
        """Take back what was written of the open block after `mark`."""
        taken = "".join(self._words[mark:])
        del self._words[mark:]
        return taken

    def end(self) -> None:
        """End the open block, if it has any words, as a paragraph."""
        self._add(self._written())

    def heading(self, level: int) -> str:
        """End the open block as a heading; its words."""
        words = self._written().replace("\n", " ")
        if words:
            self._leave_term()
            self.blocks.append(f"{'#' * level} {words}")
        return words

    def code(self, text: str) -> None:
        """Add a block of code as it stands."""
        lines = text.expandtabs(4).replace("\r\n", "\n").strip("\n").rstrip()
        if lines:
            fence = "`" * max(3, *(len(ticks) + 1 for ticks in _TICKS.findall(lines)), 0)
            self._leave_term()
            self._add(f"{fence}\n{lines}\n{fence}")

    def term(self) -> None:
        """End the open block as a term, maybe one of several; the next block is their definition."""
        self._term = "\n".join(filter(None, (self._term, self._written())))

    def open_list(self, *, ordered: bool, start: int = 1) -> None:
        """Begin a list, inside the item that is open."""
        self._leave_term()
        self._lists.append(_List(ordered, number=start - 1))

    def item(self) -> None:
        """Begin an item of the innermost list, or of one that nobody has opened."""
        self._leave_term()
        if not self._lists:
            self._lists.append(_List(ordered=False))
        self._lists[-1].number += 1
        self._lists[-1].opening = True

    def close_list(self) -> None:
        """End the innermost list."""
        if self._lists:
            self._lists.pop()

    def inside(self, blocks: list[str]) -> None:
        """Add blocks of another writer."""
        self._leave_term()
        for block in blocks:
            self._add(block)

    def finish(self) -> None:
        """End what is open."""
        self.end()
        self._leave_term()

    def _written(self) -> str:
        lines = (" ".join(line.split()) for line in "".join(self._words).split(BREAK))
        self._words.clear()
        return "\n".join(filter(None, lines))

    def _leave_term(self) -> None:
        term, self._term = self._term, ""
        if term:
            self._add(term)

    def _add(self, block: str) -> None:
        if not block:
            return
        if self._term:
            block, self._term = f"{self._term}\n: {block}", ""
        self.blocks.append(self._indented(block) if self._lists else block)

    def _indented(self, block: str) -> str:
        """The block in its place in the lists that are open; the first of an item has its mark."""
        inner = self._lists[-1]
        mark = ""
        if inner.opening:
            mark, inner.opening = f"{inner.number}. " if inner.ordered else "- ", False
        margin = "  " * min(len(self._lists) - bool(mark), _DEEPEST)
        return margin + mark + block.replace("\n", "\n" + margin + " " * len(mark))


def code_span(text: str) -> str:
    """`text` as code inside a paragraph; nothing where it has no words."""
    words = " ".join(text.split())
    if not words:
        return text and " "
    longest = max(map(len, _TICKS.findall(words)), default=0)
    ticks = "`" * (longest + 1)
    return f"{ticks} {words} {ticks}" if longest else f"`{words}`"
