"""What a text says beneath a disguise: other letters that look alike, digits for letters, spaces, codes."""

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from itertools import islice
from string import ascii_letters, ascii_lowercase, digits

from tasks.prepare.clean.encodings import encoded
from tasks.prepare.clean.kinds import by_kind, signs

# Letters of other scripts that a reader takes for Latin ones (Unicode TS 39 names them confusables).
_LOOKALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u043a\u043c\u0442\u043d\u0432\u03bf\u03b1\u03b5\u03b9\u03c1\u03bd\u0131\u0261",
    "aeopcyxijskmthboaeipvig",
)
_ALIKE = re.compile(f"[{''.join(map(chr, _LOOKALIKES))}]")
_FOR_LETTERS = "01345@$7"
_DIGITS = str.maketrans(_FOR_LETTERS, "oieasast")
_MIXED = re.compile(r"\b(?=[a-z@$]{0,20}[01345@$7])(?=[01345@$7]{0,20}[a-z])[a-z01345@$7]{3,20}\b")
_SPACED = re.compile(r"\b(?:[a-z][-_.* ]){4,}[a-z]\b")
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{24,4096}={0,2}(?![A-Za-z0-9+/=])")
_HIDDEN = 24  # characters of base64 at least
# Texts by the kinds of their characters: most hold no disguise, and so it takes a tenth of the time to see.
_SPELLED = signs({"a": ascii_lowercase, "1": _FOR_LETTERS, " ": "-_.* "}, others="?")
_ENCODED = signs({"a": f"{ascii_letters}{digits}+/"}, others="?")
_UNSEEN = re.compile("[\u200b-\u200f\u2060-\u2064\ufeff\u00ad\u034f\u180e\U000e0000-\U000e007f]")
_MANY = 8  # hidden texts read in one text; a file of keys has thousands of such runs


def visible(text: str) -> str:
    """The text as it is read: in common forms of its letters, without entities and unseen characters."""
    if not text.isascii():
        text = _UNSEEN.sub("", unicodedata.normalize("NFKC", text)).replace("\u2019", "'")
    return html.unescape(text) if "&" in text else text


def plain(text: str) -> str:
    """A visible text in lower case and Latin letters, on one line."""
    folded = text.casefold()
    if not folded.isascii() and _ALIKE.search(folded):
        folded = folded.translate(_LOOKALIKES)
    return " ".join(folded.split())


def readings(text: str) -> Iterator[str]:
    """A visible text as a plain one, and as what else it may be read where it is disguised."""
    first = plain(text)
    yield first
    spelled = by_kind(first, _SPELLED)
    if b"a1" in spelled or b"1a" in spelled:
        yield from _changed(first, _MIXED, lambda found: found[0].translate(_DIGITS))
    if b" a a " in spelled:
        yield from _changed(first, _SPACED, lambda found: re.sub(r"[-_.* ]", "", found[0]))
    if b"a" * _HIDDEN in by_kind(text, _ENCODED):
        for run in islice(_BASE64.finditer(text), _MANY):
            if hidden := _decoded(run[0]):
                yield plain(visible(hidden))
    for hidden in encoded(text):
        yield plain(visible(hidden))


def _changed(text: str, pattern: re.Pattern[str], change: Callable[[re.Match[str]], str]) -> Iterator[str]:
    """The text with each match changed; nothing where there is none."""
    changed, times = pattern.subn(change, text)
    if times:
        yield changed


def _decoded(run: str) -> str:
    """What stands in base64, where it is readable text."""
    try:
        text = base64.b64decode(run + "=" * (-len(run) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return text if all(letter.isprintable() or letter.isspace() for letter in text) else ""
