"""HTML as Markdown: its main content, with headings, code, lists, definitions and tables.

Tags are read as they come, by Python's own tokenizer: there is no tree that deep nesting could overturn, no
entity is more than its character, and nothing that a page names is fetched.
"""

import re
from collections import Counter
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Literal

from deploy.documents.reading.charsets import html_text
from deploy.documents.reading.elements import (
    BLOCKS,
    CODE,
    HEADINGS,
    LISTS,
    VOID,
    Attributes,
    closed_by,
    is_furniture,
    is_main,
    is_silent,
)
from deploy.documents.reading.markdown import BREAK, MarkdownWriter, code_span
from deploy.documents.reading.reading import Reading
from deploy.documents.reading.tables import Table
from deploy.errors import DocumentError

Region = Literal["main", "content", "all"]
_DEEPEST_TABLE = 8  # tables in tables; what is deeper is read block by block
_POWER = re.compile(r"\s*[-+\u2212]?\w{1,12}\s*")


def read_html(content: bytes, declared: str = "") -> Reading:
    """A page: its <main>, or else all but what stands around the content, or else all.

    Raises:
        DocumentError: it is in no known encoding, or nothing is to be read in it.
    """
    markup = html_text(content, declared)
    regions: tuple[Region, ...] = ("main", "content", "all")
    for region in regions:
        page = _Page(region)
        page.feed(markup)
        page.close()
        if text := page.text():
            return Reading(title=page.title(), text=text)
    raise DocumentError(
        "there is no text in it; a page that a script fills has to be saved as it is seen, or as text",
        reason="no_text",
    )


@dataclass(slots=True)
class _Element:
    """An element that is open."""

    tag: str
    silent: bool = False
    main: bool = False
    mark: int = 0  # where the open block stood when it began
    link: bool = False  # to a place of the same page
    table: bool = False  # it is a table or a cell, and is ended as one
    given: Attributes | None = None  # of a cell


class _Page(HTMLParser):
    """Tells a writer what is in one region of a page."""

    def __init__(self, region: Region) -> None:
        super().__init__(convert_charrefs=True)
        self._region = region
        self._writers = [MarkdownWriter()]  # the last one is that of the innermost cell
        self._tables: list[Table] = []
        self._open: list[_Element] = []
        self._counts = Counter[str]()
        self._silent = self._mains = 0
        self._named, self._heads = "", list[str]()

    @property
    def _heard(self) -> bool:
        return not self._silent and (self._region != "main" or self._mains > 0)

    def text(self) -> str:
        """All that was read, once the page is closed."""
        return self._writers[0].text

    def title(self) -> str:
        """Its only heading of the first level, or else what it calls itself, or its first heading."""
        only = self._heads[0] if len(self._heads) == 1 else ""
        return only or " ".join(self._named.split()) or next(iter(self._heads), "")

    def close(self) -> None:
        """End the page and all that is still open in it."""
        super().close()
        self._leave(0)
        self._writers[0].finish()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._close_implied(tag)
        around = self._region != "all" and is_furniture(tag, given, in_main=self._mains > 0)
        element = _Element(tag, silent=around or is_silent(tag, given), main=is_main(tag, given))
        if tag in VOID:
            if self._heard and not element.silent:
                self._begin(element, given)
            return
        self._silent += element.silent
        self._mains += element.main
        if self._heard:
            self._begin(element, given)
        self._counts[tag] += 1
        self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if self._counts[tag]:
            at = len(self._open) - 1
            while self._open[at].tag != tag:
                at -= 1
            self._leave(at)

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1].tag == "title" and not self._silent:
            self._named += data
        elif self._heard:
            self._writers[-1].write(data)

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        """Skip `<![...`: with those that it does not know Python's parser fails."""
        return self.parse_bogus_comment(i, report)

    def _close_implied(self, tag: str) -> None:
        """Leave what the beginning of `tag` ends without saying so."""
        closed, within = closed_by(tag)
        if not any(self._counts[name] for name in closed):
            return
        for at in range(len(self._open) - 1, -1, -1):
            if self._open[at].tag in closed:
                self._leave(at)
                return
            if self._open[at].tag in within:
                return

    def _begin(self, element: _Element, given: Attributes) -> None:
        tag, writer = element.tag, self._writers[-1]
        if self._counts["pre"]:
            if tag in BLOCKS or tag == "br":
                writer.write("\n")
            return
        if tag in BLOCKS:
            writer.end()
            self._begin_block(element, given)
        elif tag == "br":
            writer.write(BREAK)
        elif tag == "img":
            writer.write(f" {given.get('alt') or ''} ")
        elif tag == "span" and "classifier" in (given.get("class") or "").split():
            writer.write(" : ")  # Sphinx leaves the colon before a type to the style sheet
        element.link = tag == "a" and (given.get("href") or "").startswith("#")
        element.mark = self._writers[-1].mark()

    def _begin_block(self, element: _Element, given: Attributes) -> None:
        match element.tag:
            case "li":
                self._writers[-1].item()
            case "ul" | "ol" | "menu" | "dir":
                start = _number(given.get("start"))
                self._writers[-1].open_list(ordered=element.tag == "ol", start=start)
            case "table" if len(self._tables) < _DEEPEST_TABLE:
                for outer in self._tables[-1:]:
                    outer.nest()
                self._tables.append(Table())
                element.table = True
            case "tr" if self._tables:
                self._tables[-1].row()
            case "td" | "th" if self._tables:
                self._writers.append(MarkdownWriter())
                element.table, element.given = True, given

    def _leave(self, at: int) -> None:
        """Leave the element at this place and all that is open inside it."""
        while len(self._open) > at:
            element = self._open.pop()
            self._counts[element.tag] -= 1
            if element.table or self._heard:
                self._end(element)
            self._silent -= element.silent
            self._mains -= element.main

    def _end(self, element: _Element) -> None:
        tag, writer = element.tag, self._writers[-1]
        if element.table:
            self._end_table(element)
        elif tag == "pre" and not self._counts["pre"]:
            writer.code(writer.since(element.mark))
        elif self._counts["pre"]:
            return
        elif tag in HEADINGS:
            words = writer.heading(HEADINGS[tag])
            self._heads += [words.replace("`", "")] if words and tag == "h1" else []
        elif tag == "dt":
            writer.term()
        elif tag in BLOCKS:
            writer.end()
            if tag in LISTS:
                writer.close_list()
        else:
            self._end_inline(element)

    def _end_inline(self, element: _Element) -> None:
        writer = self._writers[-1]
        if element.tag in CODE:
            writer.write(code_span(writer.since(element.mark)))
        elif element.link:
            words = writer.since(element.mark)
            if any(map(str.isalnum, words)):  # else it is the sign behind a heading that links to it
                writer.write(words)
        elif element.tag == "sup":
            words = writer.since(element.mark)
            writer.write(f"^{words}" if _POWER.fullmatch(words) else words)

    def _end_table(self, element: _Element) -> None:
        if element.given is None:
            self._writers[-1].end()
            self._tables.pop().write(self._writers[-1])
            return
        writer = self._writers.pop()
        writer.finish()
        self._tables[-1].cell(
            writer.blocks,
            is_name=element.tag == "th",
            across=_number(element.given.get("colspan")),
            down=_number(element.given.get("rowspan")),
        )


def _number(value: str | None) -> int:
    """A number in an attribute, as far as it makes sense; else 1."""
    return int(value) if value and re.fullmatch(r"[0-9]{1,6}", value) else 1
