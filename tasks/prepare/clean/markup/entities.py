"""Entities as the characters that they stand for, in a text that was escaped as a whole."""

import html
import re
from html.entities import html5

from tasks.prepare.clean.markup.tags import remnants

_ENTITY = re.compile(r"&(?:#\d{2,6}|#[xX][0-9A-Fa-f]{2,5}|([A-Za-z]{2,8}));")
# Names that stand for a character in text; others, such as `&num;`, may be the address of a variable.
_NAMES = frozenset({
    "aelig", "amp", "apos", "bdquo", "bull", "ccedil", "euro", "gt", "hellip", "laquo", "ldquo", "lsquo",
    "lt", "mdash", "middot", "nbsp", "ndash", "oslash", "quot", "raquo", "rdquo", "rsquo", "sbquo", "szlig",
    "trade",
    *(name[:-1] for name in html5 if re.fullmatch(r"[A-Za-z](?:acute|grave|circ|uml|tilde|ring);", name)),
})  # fmt: skip
_NAMED = re.compile(r"[\"'`(]&#?\w{1,8};[\"'`)]|[\"']&#?\w{1,8};|&#?\w{1,8};[\"']")  # it is spoken of
_GLUED = re.compile(r"(?<=\w)&nbsp;(?=[\w(])")


def unescaped(text: str) -> str:
    """The text with its entities as characters, if all of it is escaped: then no bare < > or & is left."""
    bare = _ENTITY.sub("", text)
    if bare == text or not re.search(r"\w", bare):
        return text
    if re.search("[<>&]", bare) or _NAMED.search(text):
        return text if re.search("[=;{}]", bare) else _GLUED.sub(" ", text)  # in code it is a string
    decoded = _ENTITY.sub(_character, text)
    # Tags that were escaped, in the midst of a text, are spoken of.
    return text if remnants(decoded) and not decoded.startswith("<") else decoded


def _character(entity: re.Match[str]) -> str:
    name = entity[1]
    if name == "nbsp":
        return " "
    return html.unescape(entity[0]) if name is None or name in _NAMES else entity[0]
