"""Repairs of text: encoding, invisible characters, HTML, blanks. Each is a function from text to text."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache

from deploy.files import text_sha256
from deploy.messages import Message
from tasks.prepare.clean.markup import asks_for_markup, may_hold_markup, strip_markup
from tasks.prepare.clean.verdict import Verdict
from tasks.prepare.clean_settings import CleanSettings, RepairName
from tasks.rows.records import Document, Example, Preference, Rows

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
# Zero-width space, word joiner, byte order mark, soft hyphen; direction overrides. The joiners U+200C and
# U+200D stay: scripts and emoji need them.
_INVISIBLE = re.compile("[\u200b\u2060\ufeff\u00ad\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# A joiner behind plain ASCII joins nothing.
_IDLE_JOINER = re.compile("(?<=[\x20-\x7e])[\u200c\u200d]+")
_OVERSTRIKE = re.compile("[^\b\n]\b")  # terminals print bold as a letter, a step back and the letter again
_SEPARATORS = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# What `remove_controls` may take out or change: control characters but for newline and tab, surrogates, and
# the marks above. Most texts have none, and one search tells so.
_ODD = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]"
)
_EVEN = bytes(byte for byte in range(128) if not _ODD.match(chr(byte)))  # of ASCII, what it lacks
_LOOSE = re.compile(r"[^\S\n]\n|\n{3}")
_PASSES = 8  # a repair may make another possible; texts that need more were never seen


def fix_encoding(text: str) -> str:
    """Text without mojibake, such as `cafÃ©` for `café` (ftfy); quotation marks and entities stay."""
    if text.isascii():
        return text
    import ftfy

    return ftfy.fix_encoding(text)


def compose(text: str) -> str:
    """Text in Unicode's composed form (NFC)."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def remove_controls(text: str) -> str:
    """Text without terminal escapes, control characters and invisible marks; its line ends are newlines."""
    if text.isascii():  # as most are, and a tenth of the time is enough for them
        if not text.encode().translate(None, _EVEN):
            return text
    elif not _ODD.search(text):
        return text
    text = _SEPARATORS.sub("\n", _ESCAPES.sub("", text))
    text = _IDLE_JOINER.sub("", _INVISIBLE.sub("", _OVERSTRIKE.sub("", text)))
    # Surrogates (Cs) no file can hold.
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))


def trim_blanks(text: str) -> str:
    """Text without blanks at line ends, around it, and without more than one empty line in a row.

    Blanks inside a line stay: they are the indentation of code.
    """
    text = text.strip()
    if "\n" not in text or not _LOOSE.search(text):
        return text
    lines = [line.rstrip() for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


REPAIRS: Mapping[RepairName, Callable[[str], str]] = {
    "encoding": fix_encoding,
    "compose": compose,
    "controls": remove_controls,
    "markup": strip_markup,
    "blanks": trim_blanks,
}


def repaired(text: str, names: Sequence[RepairName], counts: Counter[str]) -> str:
    """The text after the named repairs, applied until none changes it; `counts` marks each that did."""
    effective: set[str] = set()
    for _ in range(_PASSES):
        before = text
        for name in names:
            after = REPAIRS[name](text)
            if after != text:
                effective.add(name)
            text = after
        if text == before:
            break
    counts.update(effective)
    return text


def repair_texts(rows: Rows, settings: CleanSettings) -> Verdict:
    """All rows with texts repaired as `clean.repairs` says; nothing is dropped."""
    counts: Counter[str] = Counter()
    without_markup = tuple(name for name in settings.repairs if name != "markup")

    @cache  # questions and quotes come in many rows
    def known(text: str, names: tuple[RepairName, ...]) -> tuple[str, Counter[str]]:
        effective: Counter[str] = Counter()
        return repaired(text, names, effective), effective

    def fix(text: str, names: tuple[RepairName, ...] = tuple(settings.repairs)) -> str:
        after, effective = known(text, names)
        if effective:
            counts.update(effective)
        return after

    def fix_snippet(text: str) -> str:
        return fix(text, without_markup)

    def answer(text: str, prompt: Sequence[Message]) -> str:
        """An answer, whose markup stays where that is what was asked for."""
        asked = (turn.content for turn in prompt if turn.role == "user")
        is_wanted = may_hold_markup(text) and any(map(asks_for_markup, asked))
        return fix_snippet(text) if is_wanted else fix(text)

    def turns(messages: tuple[Message, ...]) -> tuple[Message, ...]:
        said = [
            answer(turn.content, messages) if turn.role == "assistant" else fix(turn.content)
            for turn in messages
        ]
        return tuple(Message(turn.role, text) for turn, text in zip(messages, said, strict=True))

    def document(row: Document) -> Document:
        text = fix(row.text)
        return replace(row, title=fix(row.title), text=text, sha256=text_sha256(text))

    documents = tuple(map(document, rows.documents))
    texts = {row.id: row.text for row in documents}

    def quote(row: Example | Preference) -> str:
        """The quote as it stands in its document: what is markup in a piece may be none in the whole."""
        snippet = fix_snippet(row.quote)
        if not may_hold_markup(snippet) or any(snippet in texts.get(name, "") for name in row.evidence):
            return snippet
        return fix(snippet)

    def example(row: Example) -> Example:
        return replace(row, messages=turns(row.messages), quote=quote(row))

    def preference(row: Preference) -> Preference:
        return replace(
            row,
            prompt=turns(row.prompt),
            chosen=answer(row.chosen, row.prompt),
            rejected=answer(row.rejected, row.prompt),
            quote=quote(row),
        )

    return Verdict(
        rows=Rows(
            examples=tuple(map(example, rows.examples)),
            preferences=tuple(map(preference, rows.preferences)),
            documents=documents,
        ),
        repaired=counts,
    )
