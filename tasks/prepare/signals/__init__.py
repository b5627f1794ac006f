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

from tasks.prepare.signals.ngrams import duplicate_lines, duplicate_ngrams, top_ngram
from tasks.prepare.signals.profanity import profanities
from tasks.rows.literal import STOP_WORDS

SHORT_LINE = 30  # characters
_ENDS = (".", "!", "?", '"', "'", "\u201d", ":", ";", "`", "\u3002", "\uff01", "\uff1f", "\u2026")
_BULLETS = ("-", "*", "\u2022", "\u25cf", "\u2023", "+")
_NUMBERED = re.compile(r"\d{1,3}[.)] ")


@dataclass(frozen=True)
class Text:
    """A text with its words and lines, each found once for all signals."""

    whole: str

    @cached_property
    def words(self) -> list[str]:
        """What blanks part, signs included, in lower case."""
        return self.whole.lower().split()

    @cached_property
    def lines(self) -> list[str]:
        """The lines that are not blank, without the blanks around them."""
        return [line for line in map(str.strip, self.whole.split("\n")) if line]

    def words_that(self, holds: Callable[[str], bool]) -> float:
        """The share of the words of which `holds` is true; 0.0 without any."""
        return sum(map(holds, self.words)) / len(self.words) if self.words else 0.0

    def lines_that(self, holds: Callable[[str], bool]) -> float:
        """The share of the lines of which `holds` is true; 0.0 without any."""
        return sum(map(holds, self.lines)) / len(self.lines) if self.lines else 0.0

    @cached_property
    def marks(self) -> Mapping[str, int]:
        """How often each character stands there, without blanks."""
        return Counter("".join(self.whole.split()))

    def characters_that(self, holds: Callable[[str], bool]) -> float:
        """The share of the characters that are no blanks of which `holds` is true; 0.0 without any."""
        whole = sum(self.marks.values())
        return sum(count for mark, count in self.marks.items() if holds(mark)) / whole if whole else 0.0


def _has_letter(word: str) -> bool:
    return word.isalpha() or any(map(str.isalpha, word))


def _is_stop_word(word: str) -> bool:
    return word in STOP_WORDS or (not word.isalpha() and _bare(word) in STOP_WORDS)


def _bare(word: str) -> str:
    return word.strip(".,;:!?\"'()[]`").replace("'", "").replace("\u2019", "")


SIGNALS: Mapping[str, Callable[[Text], float]] = {
    "characters": lambda text: float(len(text.whole)),
    "words": lambda text: float(len(text.words)),
    "lines": lambda text: float(len(text.lines)),
    "mean_word_length": lambda text: sum(map(len, text.words)) / len(text.words) if text.words else 0.0,
    "alphabetic_share": lambda text: text.words_that(_has_letter),
    "digit_share": lambda text: text.characters_that(str.isdigit),
    "symbol_share": lambda text: text.characters_that(lambda letter: not letter.isalnum()),
    "capital_share": lambda text: text.characters_that(str.isupper),
    "stop_word_share": lambda text: text.words_that(_is_stop_word),
    "type_token_ratio": lambda text: len(set(text.words)) / len(text.words) if text.words else 0.0,
    "ended_lines": lambda text: text.lines_that(lambda line: line.endswith(_ENDS)),
    "short_lines": lambda text: text.lines_that(lambda line: len(line) < SHORT_LINE),
    "bullet_lines": lambda text: text.lines_that(
        lambda line: line.startswith(_BULLETS) or bool(_NUMBERED.match(line))
    ),
    "ellipsis_lines": lambda text: text.lines_that(lambda line: line.endswith(("...", "\u2026"))),
    "duplicate_lines": lambda text: duplicate_lines(text.lines),
    "top_ngram": lambda text: top_ngram(text.words),
    "duplicate_ngrams": lambda text: duplicate_ngrams(text.words),
    "profanities": lambda text: float(profanities(text.words)),
}


def signals(text: str) -> dict[str, float]:
    """Each signal of a text by its name, rounded to four places."""
    read = Text(text)
    return {name: round(measure(read), 4) for name, measure in SIGNALS.items()}
