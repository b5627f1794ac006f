"""Signals of quality: numbers that say what a text is like, each a function of the text.

They are those of Gopher (Rae et al. 2021, arXiv:2112.11446) and FineWeb (Penedo et al. 2024,
arXiv:2406.17557) that make sense of a short answer, and a count of profane words. None says alone that a row
is bad: a good answer may be a number, a table or code. So they stand beside the clean rows, to be looked at,
and drop rows only where params.yaml says so.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Self

from tasks.prepare.signals.ngrams import Runs, duplicate_lines, duplicate_ngrams, top_ngram
from tasks.prepare.signals.profanity import profanities
from tasks.rows.literal import STOP_WORDS

SHORT_LINE = 30  # characters
_ENDS = (".", "!", "?", '"', "'", "\u201d", ":", ";", "`", "\u3002", "\uff01", "\uff1f", "\u2026")
_BULLETS = ("-", "*", "\u2022", "\u25cf", "\u2023", "+")
_NUMBERED = re.compile(r"\d{1,3}[.)] ")


@dataclass(frozen=True)
class Kind:
    """A kind of characters: what `holds` of them, and the characters of ASCII of which it does not."""

    holds: Callable[[str], bool]
    others: bytes

    @classmethod
    def of(cls, holds: Callable[[str], bool]) -> Self:
        """The kind of the characters that are no blanks of which `holds` is true."""
        ascii_ = map(chr, range(128))
        return cls(holds, "".join(each for each in ascii_ if each.isspace() or not holds(each)).encode())


_ANY = Kind.of(lambda _: True)
_DIGITS, _CAPITALS = Kind.of(str.isdigit), Kind.of(str.isupper)
_SYMBOLS = Kind.of(lambda letter: not letter.isalnum())
_LETTERS_AND_BLANKS = bytes(byte for byte in range(128) if not (chr(byte).isalpha() or chr(byte).isspace()))
_BLANKS = bytes(32 if chr(byte).isspace() else byte for byte in range(256))


@dataclass(frozen=True)
class Text:
    """A text with its words and lines, each found once for all signals.

    Most texts are of ASCII. In these bytes are counted, which takes a tenth of the time.
    """

    whole: str

    @cached_property
    def words(self) -> list[str]:
        """What blanks part, signs included, in lower case."""
        return self.whole.lower().split()

    @cached_property
    def runs(self) -> Runs:
        """The runs of its words."""
        return Runs(self.words)

    @cached_property
    def lines(self) -> list[str]:
        """The lines that are not blank, without the blanks around them."""
        return [line for line in map(str.strip, self.whole.split("\n")) if line]

    def lines_that(self, holds: Callable[[str], bool]) -> float:
        """The share of the lines of which `holds` is true; 0.0 without any."""
        return sum(map(holds, self.lines)) / len(self.lines) if self.lines else 0.0

    @cached_property
    def _ascii(self) -> bytes | None:
        return self.whole.encode() if self.whole.isascii() else None

    @cached_property
    def _marks(self) -> Mapping[str, int]:
        """How often each character stands there, without blanks."""
        return Counter("".join(self.whole.split()))

    def _num(self, kind: Kind) -> int:
        if self._ascii is not None:
            return len(self._ascii.translate(None, kind.others))
        return sum(count for mark, count in self._marks.items() if kind.holds(mark))

    def characters_that(self, kind: Kind) -> float:
        """The share of the characters that are no blanks which is of a kind; 0.0 without any."""
        return self._num(kind) / whole if (whole := self._num(_ANY)) else 0.0

    def share_with_letters(self) -> float:
        """The share of the words that hold a letter; 0.0 without any."""
        if not self.words:
            return 0.0
        if self._ascii is not None:
            found = len(self._ascii.translate(_BLANKS, _LETTERS_AND_BLANKS).split())
        else:
            found = sum(any(map(str.isalpha, word)) for word in self.words)
        return found / len(self.words)

    def share_of_stop_words(self) -> float:
        """The share of the words that are English stop words, but for signs around them; 0.0 without any."""
        bare = (_bare(word) for word in self.words if not word.isalpha())  # no stop word has signs
        found = sum(map(STOP_WORDS.__contains__, chain(self.words, bare)))
        return found / len(self.words) if self.words else 0.0


def _bare(word: str) -> str:
    return word.strip(".,;:!?\"'()[]`").replace("'", "").replace("\u2019", "")


SIGNALS: Mapping[str, Callable[[Text], float]] = {
    "characters": lambda text: float(len(text.whole)),
    "words": lambda text: float(len(text.words)),
    "lines": lambda text: float(len(text.lines)),
    "mean_word_length": lambda text: sum(map(len, text.words)) / len(text.words) if text.words else 0.0,
    "alphabetic_share": lambda text: text.share_with_letters(),
    "digit_share": lambda text: text.characters_that(_DIGITS),
    "symbol_share": lambda text: text.characters_that(_SYMBOLS),
    "capital_share": lambda text: text.characters_that(_CAPITALS),
    "stop_word_share": lambda text: text.share_of_stop_words(),
    "type_token_ratio": lambda text: len(set(text.words)) / len(text.words) if text.words else 0.0,
    "ended_lines": lambda text: text.lines_that(lambda line: line.endswith(_ENDS)),
    "short_lines": lambda text: text.lines_that(lambda line: len(line) < SHORT_LINE),
    "bullet_lines": lambda text: text.lines_that(
        lambda line: line.startswith(_BULLETS) or bool(_NUMBERED.match(line))
    ),
    "ellipsis_lines": lambda text: text.lines_that(lambda line: line.endswith(("...", "\u2026"))),
    "duplicate_lines": lambda text: duplicate_lines(text.lines),
    "top_ngram": lambda text: top_ngram(text.runs),
    "duplicate_ngrams": lambda text: duplicate_ngrams(text.runs),
    "profanities": lambda text: float(profanities(text.words)),
}


def signals(text: str) -> dict[str, float]:
    """Each signal of a text by its name, rounded to four places."""
    read = Text(text)
    return {name: round(measure(read), 4) for name, measure in SIGNALS.items()}
