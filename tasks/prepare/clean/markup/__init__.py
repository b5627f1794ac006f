"""Remnants of HTML in a text become plain text; text that talks about HTML, and code, stay as they are.

`deploy/documents/reading` reads pages: it may take every tag for one. In a question or an answer most of what
looks like a tag is none (`<file>`, `List<int>`, `a < b`), and the rest has to keep each blank. So tags are
looked for one by one, and taken out only where they come in pairs and the words around do not speak of them.
"""

import re

from tasks.prepare.clean.markup.entities import unescaped
from tasks.prepare.clean.markup.tags import TAG, begins_unseen, remnants, without_unseen
from tasks.prepare.clean.markup.writing import written_out

_SPOKEN_OF = (
    r"\b(?:x?html\d?|xml|svg|css|sgml|jsx|tsx|dom|markup|hyperlinks?|href|iframes?|divs?|stylesheets?|"
    r"ampersands?|(?:un)?escap(?:e|es|ed|ing)|character entit(?:y|ies))\b"
    r"|</?\w[^<>]{0,80}>[`'\"]?\s+(?:tags?|elements?)\b|\b(?:tags?|elements?)\s+[`'\"]?</?\w"
)
_ABOUT = re.compile(_SPOKEN_OF, re.IGNORECASE)
# Who asks about these may want HTML without a word for it.
_USES = r"web ?(?:pages?|sites?)|browsers?|javascript|react|vue|angular|jinja2?|django|wordpress"
_ASKED = re.compile(rf"{_SPOKEN_OF}|\b(?:{_USES})\b", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://\S+")


def may_hold_markup(text: str) -> bool:
    """Whether there is anything in a text that a tag or an entity begins with."""
    return "<" in text or "&" in text


def strip_markup(text: str) -> str:
    """The text without tags, comments and scripts, entities as characters; unchanged if HTML is its topic."""
    if not may_hold_markup(text):
        return text
    seen = without_unseen(text)
    tags = remnants(seen)
    begins_with_it = bool(tags) and not seen[: tags[0].start()].strip()
    if not begins_with_it and not begins_unseen(text) and _speaks_of(text, _ABOUT):
        return text
    return unescaped(written_out(seen, tags) if tags else seen)


def asks_for_markup(question: str) -> bool:
    """Whether HTML, or what it is used for, is asked about: tags in the answer may be what is wanted."""
    return _speaks_of(question, _ASKED)


def _speaks_of(text: str, words: re.Pattern[str]) -> bool:
    if not words.search(text):
        return False
    said = TAG.sub(_kept_if_alone, without_unseen(text))
    return words.search(_ADDRESS.sub(" ", said)) is not None


def _kept_if_alone(tag: re.Match[str]) -> str:
    """A tag without attributes may be what is spoken of (`the <b> tag`)."""
    return " " if tag["given"] else tag[0]
