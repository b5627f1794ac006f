"""Repairs of text: encoding, invisible characters, HTML, blanks. Each is a function from text to text."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache

from deploy.files import text_sha256
from deploy.messages import Message
from tasks.prepare.clean.markup import asks_for_markup, may_hold_markup, strip_markup
from tasks.prepare.clean.parts import (
    DOCUMENTS,
    SHARED,
    Known,
    Notes,
    Part,
    Seen,
    Shard,
    by_id,
    named,
    noted_ids,
)
from tasks.prepare.clean.passes import Whole
from tasks.prepare.clean.verdict import Verdict
from tasks.prepare.clean_settings import CleanSettings, RepairName
from tasks.rows.records import ASKED, Document, Example, Preference, Rows

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


def whole_texts(settings: CleanSettings) -> tuple[Part, ...]:
    """All rows with texts repaired as `clean.repairs` says; nothing is dropped."""
    del settings
    return (
        Part(applied=DOCUMENTS, apply=_repaired_documents),
        Part(noted=DOCUMENTS, note=noted_ids, decide=_decide, applied=ASKED, apply=_repaired_asked),
    )


repair_texts = Whole(whole_texts)


def _decide(seen: Seen, settings: CleanSettings) -> Iterator[tuple[str, Notes]]:
    del settings
    yield SHARED, by_id(seen.column("document", "id"))


def _repaired_documents(shard: Shard, known: Known, settings: CleanSettings) -> Verdict:
    del known
    repair = _Repair(settings)
    documents = tuple(map(repair.document, shard.rows.documents))
    return Verdict(rows=replace(shard.rows, documents=documents), repaired=repair.counts)


def _repaired_asked(shard: Shard, known: Known, settings: CleanSettings) -> Verdict:
    repair = _Repair(settings)
    doubtful = (row for row in shard.asked if may_hold_markup(repair.snippet(row.quote)[0]))
    texts = {
        name: row.text for name, row in named(known, {n for row in doubtful for n in row.evidence}).items()
    }
    rows = Rows(
        examples=tuple(repair.example(row, texts) for row in shard.rows.examples),
        preferences=tuple(repair.preference(row, texts) for row in shard.rows.preferences),
        documents=(),
    )
    return Verdict(rows=rows, repaired=repair.counts)


class _Repair:
    """Repairs rows, and counts the texts that each repair has changed."""

    def __init__(self, settings: CleanSettings) -> None:
        self.counts: Counter[str] = Counter()
        self._all = tuple(settings.repairs)
        self._but_markup = tuple(name for name in settings.repairs if name != "markup")
        self._known = cache(_effective)  # questions and quotes come in many rows

    def snippet(self, text: str) -> tuple[str, Counter[str]]:
        """A text with its markup, and what was repaired of it; nothing is counted."""
        return self._known(text, self._but_markup)

    def document(self, row: Document) -> Document:
        """A document whose title and text are repaired."""
        text = self._fix(row.text)
        return replace(row, title=self._fix(row.title), text=text, sha256=text_sha256(text))

    def example(self, row: Example, texts: Mapping[str, str]) -> Example:
        """An example with repaired turns; `texts` are those of documents by their ids."""
        return replace(row, messages=self._turns(row.messages), quote=self._quote(row, texts))

    def preference(self, row: Preference, texts: Mapping[str, str]) -> Preference:
        """A preference with repaired turns and answers."""
        return replace(
            row,
            prompt=self._turns(row.prompt),
            chosen=self._answer(row.chosen, row.prompt),
            rejected=self._answer(row.rejected, row.prompt),
            quote=self._quote(row, texts),
        )

    def _fix(self, text: str) -> str:
        return self._counted(self._known(text, self._all))

    def _counted(self, found: tuple[str, Counter[str]]) -> str:
        text, effective = found
        if effective:
            self.counts.update(effective)
        return text

    def _answer(self, text: str, prompt: Sequence[Message]) -> str:
        """An answer, whose markup stays where that is what was asked for."""
        asked = (turn.content for turn in prompt if turn.role == "user")
        is_wanted = may_hold_markup(text) and any(map(asks_for_markup, asked))
        return self._counted(self.snippet(text)) if is_wanted else self._fix(text)

    def _turns(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        said = [
            self._answer(turn.content, messages) if turn.role == "assistant" else self._fix(turn.content)
            for turn in messages
        ]
        return tuple(Message(turn.role, text) for turn, text in zip(messages, said, strict=True))

    def _quote(self, row: Example | Preference, texts: Mapping[str, str]) -> str:
        """The quote as it stands in its document: what is markup in a piece may be none in the whole."""
        snippet = self._counted(self.snippet(row.quote))
        if not may_hold_markup(snippet) or any(snippet in texts.get(name, "") for name in row.evidence):
            return snippet
        return self._fix(snippet)


def _effective(text: str, names: tuple[RepairName, ...]) -> tuple[str, Counter[str]]:
    effective: Counter[str] = Counter()
    return repaired(text, names, effective), effective
