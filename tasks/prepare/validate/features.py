"""What of a row is compared from run to run: each feature puts the row into cells.

No cell holds text of a row: words and whole answers count in numbered buckets that many of them share.
"""

import math
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from tasks.rows.identity import folded
from tasks.rows.records import Example, Preference, RowKind

Cells = Mapping[str, float]  # the share of a row in each cell, 1 together
Feature = Callable[[Any], Cells]

WORD_BUCKETS, ANSWER_BUCKETS = 256, 64
READ = 2_000  # characters of a text whose words are counted
LETTERS = 200  # characters of a text that tell its script

# Where no blanks stand between words, each character is one.
_WORDS = re.compile(r"[\u3040-\u9fff\uac00-\ud7a3]|[^\W\u3040-\u9fff\uac00-\ud7a3]+")


def length(text: str) -> Cells:
    """The half octave that the number of characters falls into, called by the least number in it."""
    if not text:
        return {"0": 1.0}
    step = math.floor(2 * math.log2(len(text)))
    return {str(math.ceil(2 ** (step / 2))): 1.0}


def writing(text: str) -> Cells:
    """The script of most of the first letters, as Unicode calls it: latin, cyrillic, cjk..."""
    start = text[:LETTERS]
    if start.isascii():
        names = Counter({"latin": 1} if any(map(str.isalpha, start)) else {})
    else:
        names = Counter(
            unicodedata.name(sign, "other").partition(" ")[0].lower() for sign in start if sign.isalpha()
        )
    return {max(sorted(names), key=names.__getitem__) if names else "none": 1.0}


def words(text: str) -> Cells:
    """The buckets of its words. Every text weighs the same, however long it is."""
    found = {_bucket(word, WORD_BUCKETS) for word in _WORDS.findall(text[:READ].casefold())}
    return {bucket: 1.0 / len(found) for bucket in sorted(found)} if found else {"none": 1.0}


def whole(text: str) -> Cells:
    """The bucket of the text as a whole: labels and other short answers that come often make full ones."""
    return {_bucket(folded(text), ANSWER_BUCKETS): 1.0}


def _bucket(text: str, buckets: int) -> str:
    # Python's own hash differs from process to process.
    return str(zlib.crc32(text.encode(errors="surrogatepass")) % buckets)


def asked_of(row: Example | Preference) -> str:
    """The last turn before the answer; empty where there is none."""
    return row.prompt[-1].content if row.prompt else ""


def answer_of(row: Example | Preference) -> str:
    """The good answer, or the better one; empty where there is none."""
    if isinstance(row, Preference):
        return row.chosen
    return row.answer if row.messages else ""


_OF_QUESTIONS: dict[str, Feature] = {
    "source": lambda row: {row.source: 1.0},
    "task": lambda row: {row.task: 1.0},
    "question_length": lambda row: length(asked_of(row)),
    "writing": lambda row: writing(asked_of(row)),
    "words": lambda row: words(asked_of(row)),
}
FEATURES: dict[RowKind, dict[str, Feature]] = {
    "example": _OF_QUESTIONS
    | {
        "answerable": lambda row: {"answerable" if row.answerable else "unanswerable": 1.0},
        "answer_length": lambda row: length(answer_of(row)),
        "answers": lambda row: whole(answer_of(row)),
    },
    "preference": _OF_QUESTIONS
    | {
        "label": lambda row: {row.label: 1.0},
        "answer_length": lambda row: length(answer_of(row)),
    },
    "document": {
        "source": lambda row: {row.source: 1.0},
        "text_length": lambda row: length(row.text),
        "writing": lambda row: writing(row.text),
        "words": lambda row: words(row.text),
    },
}
# What each feature says where nothing has drifted.
SAID = {
    "source": "The sources have the shares of the {table}s that they had in the rows accepted {when}.",
    "task": "The tasks of {table}s come as often as in the rows accepted {when}.",
    "label": "People, rules and models have judged as often as in the rows accepted {when}.",
    "answerable": "As many questions can be answered as in the rows accepted {when}.",
    "question_length": "The questions of {table}s are as long as in the rows accepted {when}.",
    "answer_length": "The answers of {table}s are as long as in the rows accepted {when}.",
    "text_length": "The {table}s are as long as in the rows accepted {when}.",
    "writing": "The {table}s are in the scripts of the rows accepted {when}.",
    "language": "The {table}s are in the languages of the rows accepted {when}.",
    "words": "The {table}s are in the words of the rows accepted {when}.",
    "answers": "The same answers come as often as in the rows accepted {when}.",
}
