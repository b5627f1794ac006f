"""Writes a text out without its tags, as Markdown where that needs no more than the text has."""

import re
from collections.abc import Sequence

from deploy.documents.reading.elements import BLOCKS

_CELLS = frozenset({"td", "th"})
_LINES = frozenset({"br", "li", "tr", "dt", "dd", "div"})  # a line's end is enough
_POWER = re.compile(r"[-+\u2212]?(?:\d{1,3}|[a-z])</sup", re.IGNORECASE)
_ALT = re.compile(r"\salt\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)


def written_out(text: str, tags: Sequence[re.Match[str]]) -> str:
    """The text without `tags`: blocks are apart by an empty line, items and rows by a line's end."""
    written: list[str] = []
    breaks = 0  # line ends that have to stand before what comes next
    preformatted = 0
    fenced = _stands_among_others(text, tags)
    place = 0
    for tag in (*tags, None):
        chunk = text[place : tag.start() if tag else len(text)]
        name = tag["name"].lower() if tag else ""
        if chunk.strip() or (chunk and not breaks and name not in BLOCKS):
            if breaks:
                chunk = _apart(written, chunk, breaks, keep=preformatted > 0)
            written.append(chunk)
            breaks = 0
        if tag is None:
            break
        place = tag.end()
        preformatted += (-1 if tag["close"] else 1) if name == "pre" else 0
        if (name in BLOCKS and name not in _CELLS) or name == "br":
            breaks = max(breaks, 1 if name in _LINES else 2)
        if mark := _mark(tag, fenced=fenced, preformatted=preformatted > 0):
            if breaks and not tag["close"]:
                mark, breaks = _apart(written, mark, breaks, keep=True), 0
            written.append(mark)
    return "".join(written).strip("\n")


def _apart(written: Sequence[str], chunk: str, breaks: int, *, keep: bool) -> str:
    """What comes next behind as many line ends as are missing between it and what is written."""
    before = "".join(written[-2:])
    if not before.strip():
        return chunk if keep else chunk.lstrip()
    there = len(before) - len(before.rstrip("\n")) + (len(chunk) - len(chunk.lstrip("\n")))
    return "\n" * max(0, breaks - there) + (chunk if keep or chunk.startswith("\n") else chunk.lstrip(" "))


def _mark(tag: re.Match[str], *, fenced: bool, preformatted: bool) -> str:
    """What Markdown writes for a tag."""
    name, closes = tag["name"].lower(), bool(tag["close"])
    match name:
        case "li" if not closes:
            mark = "- "
        case "td" | "th" if closes:
            mark = " "
        case "code" if fenced and not preformatted:
            mark = "`"
        case "pre" if fenced:
            mark = "\n```" if closes else "```\n"
        case "sup" if _POWER.match(tag.string, tag.end()):
            mark = "^"
        case "img" if alt := _ALT.search(tag["given"]):
            mark = alt[1] or alt[2] or ""
        case _:
            mark = ""
    return mark


def _stands_among_others(text: str, tags: Sequence[re.Match[str]]) -> bool:
    """Whether code is a part of the text, and has to be told from the rest."""
    outside, depth, place = "", 0, 0
    for tag in tags:
        outside += "" if depth else text[place : tag.start()]
        depth += (-1 if tag["close"] else 1) if tag["name"].lower() in ("pre", "code") else 0
        place = tag.end()
    return bool((outside + text[place:]).strip())
