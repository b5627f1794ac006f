"""Names of people that need no model: those that stand in a column, in a salutation or beneath a letter."""

import re
from collections.abc import Iterable, Iterator, Mapping

from tasks.rows.literal import STOP_WORDS

# A word of a name: Anna, O'Brien, Jean-Luc; whether it begins with a capital is looked at afterwards.
_PART = r"[^\W\d_a-z](?:['\u2019-]?[^\W\d_])+"
_BEFORE = r"(?:[^\W\d_a-z]\.|van|von|der|den|de|la|le|del|di|da|dos|bin|al|el|ter|zu)"
_NAME = rf"(?:(?:{_PART}|{_BEFORE})[ \t]+){{0,3}}{_PART}"
_TITLE = r"(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Herrn?|Frau|Monsieur|Madame|Mme|Se\u00f1ora?|Sra?|Signora?)\b\.?"
_GREETING = (
    r"(?i:dear|hi|hello|hey|liebe[rs]?|hallo|sehr geehrte[rs]?|ch[e\u00e8]re?|bonjour|querid[oa]|estimad[oa]|"
    r"hola|car[oa]|ciao)"
)
_CLOSING = (
    r"(?i:(?:(?:kind|best|warm|many)[ \t]+)?(?:regards|wishes|thanks)|best|cheers|thank you|love|"
    r"yours(?:[ \t]+(?:sincerely|faithfully|truly))?|sincerely|(?:(?:mit )?(?:freundlichen|besten|herzlichen|"
    r"lieben?|viele) gr\u00fc\u00dfen?)|cordialement|saludos|un saludo|atentamente|saluti)"
)
_FORMS = tuple(
    re.compile(form, re.MULTILINE)
    for form in (
        rf"\b{_TITLE}[ \t]+(?:{_TITLE}[ \t]+)?({_NAME})",
        rf"^[ \t]*{_GREETING}[ \t]+(?:{_TITLE}[ \t]+)?({_NAME})[ \t]*(?=[,!:]|$)",
        rf"^[ \t]*{_CLOSING}[ \t]*(?:[,!.][ \t]*)?(?:\n[ \t]*)?({_NAME})[ \t]*$",
    )
)
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_NO_NAMES = frozenset({
    "all", "colleagues", "customer", "everybody", "everyone", "friend", "friends", "madam", "sir", "sirs",
    "support", "team", "there", "world", "you",
})  # fmt: skip
_SHORTEST = 3  # letters of a part of a name that is one by itself


def in_letters(text: str) -> Iterator[tuple[int, int]]:
    """Where names stand behind a title (`Mrs Adler`), a greeting (`Dear Anna,`) or a closing."""
    for form in _FORMS:
        for match in form.finditer(text):
            said = re.sub(r"['\u2019]s$", "", match[1])
            words = said.split()
            if words[-1][0].isupper() and not _NO_NAMES.intersection(map(str.casefold, words)):
                yield match.start(1), match.start(1) + len(said)


def in_columns(metadata: Mapping[str, str], columns: Iterable[str]) -> Iterator[str]:
    """The names that stand in some columns of a row, as its texts may have them: whole, and each part."""
    for value in (metadata.get(column, "").strip() for column in columns):
        if not value:
            continue
        parts = _WORD.findall(value)
        yield value
        if len(parts) < 2:
            continue
        yield from (value.lower(), value.upper())
        yield from (
            part
            for part in parts
            if part[0].isupper() and len(part) >= _SHORTEST and part.casefold() not in STOP_WORDS
        )
