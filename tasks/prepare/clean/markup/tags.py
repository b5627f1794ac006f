"""Which tags in a text are left over from a page, and what of a page nobody sees."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from deploy.documents.reading.elements import BLOCKS, VOID

# Code: in fences, in backticks, or indented behind an empty line.
_MARKED = r"```.*?```|~~~.*?~~~|`[^`\n]+`"
_MARKED_CODE = re.compile(_MARKED, re.DOTALL)
_CODE = re.compile(_MARKED + r"|(?:\A|(?<=\n\n))(?: {4}|\t)[^\n]*(?:\n(?: {4}|\t)[^\n]*)*", re.DOTALL)
_UNSEEN = re.compile(r"<!--|<(?P<name>script|style)(?:\s[^<>]*)?>", re.IGNORECASE)
TAG = re.compile(
    r"<(?P<close>/?)(?P<name>[A-Za-z][A-Za-z0-9]*)"
    r"(?P<given>(?:\s+[\w:@.-]+(?:\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'<>=`]+))?)*)\s*/?>"
)
_INLINE = frozenset({
    "a", "abbr", "acronym", "b", "big", "cite", "code", "del", "dfn", "em", "font", "i", "ins", "kbd", "mark",
    "nobr", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "var",
})  # fmt: skip
_ANYWHERE = _INLINE | {"pre"}  # other blocks in the midst of a text are what it is about
_PAGE = frozenset(
    {"body", "dialog", "fieldset", "form", "html", "legend", "main", "nav"}
)  # of code and of pages
_FORMATTING = (_INLINE | BLOCKS | {"br", "hr", "img", "wbr"}) - _PAGE
_IN_CODE = frozenset({"'", '"', "=", "("})  # before a tag: it is one of a program's strings


def begins_unseen(text: str) -> bool:
    """Whether a text begins with a comment or a script."""
    return _UNSEEN.match(text.lstrip()) is not None


def without_unseen(text: str) -> str:
    """The text without comments and scripts; as it is where it has nothing else, or speaks of comments."""
    left = "".join(_seen(text))
    is_meant = re.search(r"\bcomments?\b", left, re.IGNORECASE) or not re.search(r"\w", left)
    return text if is_meant else left


def _seen(text: str) -> Iterator[str]:
    if "<" not in text:
        yield text
        return
    marked = without_code(text).lower()
    place = 0
    missing: set[str] = set()  # ends that come no more: each is looked for once
    for found in _UNSEEN.finditer(marked):
        end = f"</{found['name']}" if found["name"] else "-->"
        at = -1 if end in missing or found.start() < place else marked.find(end, found.end())
        if at < 0:
            missing.update({end} if found.start() >= place else ())
            continue
        yield text[place : found.start()]
        place = marked.find(">", at) + 1 or len(text)
    yield text[place:]


def without_code(text: str) -> str:
    """The text with code blanked out: what is found in it has the same place."""
    code = _MARKED_CODE if TAG.match(text.lstrip()) else _CODE  # lines are indented in any HTML
    return code.sub(lambda found: "\0" * len(found[0]), text)


def remnants(text: str) -> Sequence[re.Match[str]]:
    """The tags that are left over from a page, in order; none where the text is code."""
    tags = list(TAG.finditer(without_code(text)))
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
