"""Remnants of HTML in a text become plain text; text that talks about HTML, and code, stay as they are.

`deploy/documents/reading` reads pages: it may take every tag for one. In a question or an answer most of what
looks like a tag is none (`<file>`, `List<int>`, `a < b`), and the rest has to keep each blank. So tags are
looked for one by one, and taken out only where they come in pairs and the words around do not speak of them.
"""

import html
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from html.entities import html5

from deploy.documents.reading.elements import BLOCKS, VOID

# Code: in fences, in backticks, or indented behind an empty line.
_MARKED = r"```.*?```|~~~.*?~~~|`[^`\n]+`"
_MARKED_CODE = re.compile(_MARKED, re.DOTALL)
_CODE = re.compile(_MARKED + r"|(?:\A|(?<=\n\n))(?: {4}|\t)[^\n]*(?:\n(?: {4}|\t)[^\n]*)*", re.DOTALL)
_UNSEEN = re.compile(r"<!--.*?-->|<(script|style)(?:\s[^<>]*)?>.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(
    r"<(?P<close>/?)(?P<name>[A-Za-z][A-Za-z0-9]*)"
    r"(?P<given>(?:\s+[\w:@.-]+(?:\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'<>=`]+))?)*)\s*/?>"
)
_ALT = re.compile(r"\salt\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_INLINE = frozenset(
    {
        "a",
        "abbr",
        "acronym",
        "b",
        "big",
        "cite",
        "code",
        "del",
        "dfn",
        "em",
        "font",
        "i",
        "ins",
        "kbd",
        "mark",
    }
    | {"nobr", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "var"}
)
_ANYWHERE = _INLINE | {"pre"}  # other blocks in the midst of a text are what it is about
_PAGE = frozenset(
    {"body", "fieldset", "form", "html", "legend", "nav", "dialog", "main"}
)  # of code and of pages
_FORMATTING = (_INLINE | BLOCKS | {"br", "hr", "img", "wbr"}) - _PAGE
_CELLS = frozenset({"td", "th"})
_LINES = frozenset({"br", "li", "tr", "dt", "dd", "div"})  # a line's end is enough
_IN_CODE = frozenset({"'", '"', "=", "("})  # before a tag: it is one of a program's strings
_POWER = re.compile(r"[-+\u2212]?(?:\d{1,3}|[a-z])</sup", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://\S+")
_ENTITY = re.compile(r"&(?:#\d{2,6}|#[xX][0-9A-Fa-f]{2,5}|([A-Za-z]{2,8}));")
# Names that stand for a character in text; others, such as `&num;`, may be the address of a variable.
_NAMES = frozenset(
    {
        "lt",
        "gt",
        "amp",
        "quot",
        "apos",
        "nbsp",
        "ndash",
        "mdash",
        "hellip",
        "lsquo",
        "rsquo",
        "ldquo",
        "rdquo",
    }
    | {
        "bdquo",
        "sbquo",
        "laquo",
        "raquo",
        "bull",
        "middot",
        "trade",
        "euro",
        "szlig",
        "oslash",
        "aelig",
        "ccedil",
    }
    | {name[:-1] for name in html5 if re.fullmatch(r"[A-Za-z](?:acute|grave|circ|uml|tilde|ring);", name)}
)
_ENTITY_NAMED = re.compile(r"[\"'`(]&#?\w{1,8};[\"'`)]")  # it is spoken of
_QUOTED = re.compile(r"[\"']&#?\w{1,8};|&#?\w{1,8};[\"']")
_GLUED = re.compile(r"(?<=\w)&nbsp;(?=[\w(])")
_SPOKEN_OF = (
    r"\b(?:x?html\d?|xml|svg|css|sgml|jsx|tsx|dom|markup|hyperlinks?|href|iframes?|divs?|stylesheets?|ampersands?|"
    r"(?:un)?escap(?:e|es|ed|ing)|character entit(?:y|ies))\b"
    r"|</?\w[^<>]{0,80}>[`'\"]?\s+(?:tags?|elements?)\b|\b(?:tags?|elements?)\s+[`'\"]?</?\w"
)
_ABOUT = re.compile(_SPOKEN_OF, re.IGNORECASE)
# Who asks about these may want HTML without a word for it.
_ASKED = re.compile(
    _SPOKEN_OF
    + r"|\b(?:web ?(?:pages?|sites?)|browsers?|javascript|react|vue|angular|jinja2?|django|wordpress)\b",
    re.IGNORECASE,
)


def may_hold_markup(text: str) -> bool:
    """Whether there is anything in a text that a tag or an entity begins with."""
    return "<" in text or "&" in text


def strip_markup(text: str) -> str:
    """The text without tags, comments and scripts, its entities as characters; unchanged if it is about HTML."""
    if not may_hold_markup(text):
        return text
    seen = _without_unseen(text)
    tags = _remnants(seen)
    begins_with_it = bool(tags) and not seen[: tags[0].start()].strip()
    if not begins_with_it and not _UNSEEN.match(text.lstrip()) and _speaks_of(text, _ABOUT):
        return text
    return _unescaped(_written_out(seen, tags) if tags else seen)


def asks_for_markup(question: str) -> bool:
    """Whether HTML, or what it is used for, is asked about: tags in the answer may be what is wanted."""
    return _speaks_of(question, _ASKED)


def _speaks_of(text: str, words: re.Pattern[str]) -> bool:
    if not words.search(text):
        return False
    said = _TAG.sub(_kept_if_alone, _UNSEEN.sub(" ", text))
    return words.search(_ADDRESS.sub(" ", said)) is not None


def _kept_if_alone(tag: re.Match[str]) -> str:
    """A tag without attributes may be what is spoken of (`the <b> tag`)."""
    return " " if tag["given"] else tag[0]


def _without_unseen(text: str) -> str:
    """The text without comments and scripts, where anything else is left, and nothing speaks of comments."""
    if "<!--" not in text and not re.search("<(?:script|style)", text, re.IGNORECASE):
        return text
    left, place = "", 0
    for found in _UNSEEN.finditer(_without_code(text)):
        left += text[place : found.start()]
        place = found.end()
    left += text[place:]
    is_meant = re.search(r"\bcomments?\b", left, re.IGNORECASE) or not re.search(r"\w", left)
    return text if is_meant else left


def _without_code(text: str) -> str:
    """The text with code blanked out: what is found in it has the same place."""
    code = _MARKED_CODE if _TAG.match(text.lstrip()) else _CODE  # lines are indented in any HTML
    return code.sub(lambda found: "\0" * len(found[0]), text)


def _remnants(text: str) -> Sequence[re.Match[str]]:
    """The tags that are left over from a page, in order; none where the text is code."""
    tags = list(_TAG.finditer(_without_code(text)))
    pairs = list(_pairs(tags))
    names = {start["name"].lower() for start, _ in pairs}
    if names - _FORMATTING or any(_before(start) in _IN_CODE for start, _ in pairs):
        return []
    opens_with_tag = bool(pairs) and not text[: min(start.start() for start, _ in pairs)].strip()
    taken = [
        tag
        for start, end in pairs
        if (opens_with_tag or start["name"].lower() in _ANYWHERE) and not _is_named(text, start, end)
        for tag in (start, end)
    ]
    alone = [tag for tag in tags if tag["name"].lower() in VOID & _FORMATTING]
    if taken or len(alone) > 1 or any(_is_glued(text, tag) for tag in alone):
        taken += alone
    return sorted(taken, key=lambda tag: tag.start())


def _pairs(tags: Sequence[re.Match[str]]) -> Iterator[tuple[re.Match[str], re.Match[str]]]:
    """Each tag that opens with the one that closes it."""
    opened: list[re.Match[str]] = []
    counts = Counter[str]()
    for tag in tags:
        name = tag["name"].lower()
        if name not in VOID and not tag["close"]:
            opened.append(tag)
            counts[name] += 1
        while counts[name] and tag["close"]:
            start = opened.pop()
            counts[start["name"].lower()] -= 1
            if start["name"].lower() == name:
                yield start, tag
                break


def _is_named(text: str, start: re.Match[str], end: re.Match[str]) -> bool:
    """Whether a pair is spoken of, as in: between <p> and </p>."""
    first, last = text[start.end()], text[end.start() - 1]
    return first.isspace() and last.isspace() and _before(start) in (" ", "(", '"')


def _before(tag: re.Match[str]) -> str:
    """The character before a tag; empty where the text begins with it."""
    return tag.string[max(0, tag.start() - 1) : tag.start()]


def _is_glued(text: str, tag: re.Match[str]) -> bool:
    """Whether a tag such as <br> stands at words, and not among them as one of them."""
    before, after = _before(tag), text[tag.end() : tag.end() + 1]
    return not (before.isspace() and after == " ") and bool(before.strip() or after.strip())


def _written_out(text: str, tags: Sequence[re.Match[str]]) -> str:
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


def _unescaped(text: str) -> str:
    """The text with its entities as characters, if all of it is escaped: then no bare < > or & is left."""
    bare = _ENTITY.sub("", text)
    if bare == text or _ENTITY_NAMED.search(text) or not re.search(r"\w", bare):
        return text
    if re.search("[<>&]", bare) or _QUOTED.search(text):
        return _GLUED.sub(" ", text)
    decoded = _ENTITY.sub(_character, text)
    # Tags that were escaped, in the midst of a text, are spoken of.
    return text if _remnants(decoded) and not decoded.startswith("<") else decoded


def _character(entity: re.Match[str]) -> str:
    name = entity[1]
    if name == "nbsp":
        return " "
    return html.unescape(entity[0]) if name is None or name in _NAMES else entity[0]
