"""Drops rows that are written in another language than their source: a question, an answer or a document.

A row is dropped only where it is sure (`tasks.prepare.languages.spoken`).
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain

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
from tasks.prepare.languages.spoken import Guess, Spoken, guesser, is_foreign, mostly_in, spoken
from tasks.rows.records import Document, Example, Row, RowKind, Rows

UNKNOWN = "unknown"  # too short, code, or not sure
# A question about translating has its answer in another language.
_ABOUT_LANGUAGES = re.compile(
    r"translat|\u00fcbersetz|tradui|traduc|traduz|tradur|\u043f\u0435\u0440\u0435\u0432|\u7ffb\u8bd1|\u7ffb\u8a33|"
    r"\b(?:arabic|chinese|czech|danish|dutch|english|finnish|french|german|greek|hebrew|hindi|hungarian|italian|"
    r"japanese|korean|latin|mandarin|norwegian|polish|portuguese|romanian|russian|spanish|swedish|turkish|ukrainian|"
    r"deutsch|englisch|franz\u00f6sisch|spanisch|fran\u00e7ais|anglais|allemand|espa\u00f1ol|ingl\u00e9s|ingl\u00eas|"
    r"italiano|tedesco|inglese)\b",
    re.IGNORECASE,
)


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
    judged_rows = _judged(list(shard), guesser(), settings.language)
    told: dict[str, Counter[str]] = defaultdict(Counter)
    counts: Counter[str] = Counter()
    numbers: dict[tuple[str, ...], int] = {}
    stays = np.full(len(shard), -1, np.int32)
    for place, (row, judged) in enumerate(zip(shard, judged_rows, strict=True)):
        sure = [each.language for each in judged if each.score >= settings.language.min_score]
        told[row.source].update(sure)
        counts.update(sure)
        counts[UNKNOWN] += len(_texts(row)) - len(sure)
        if all(mostly_in(each, {each.language}) for each in judged):
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
    rows = list(shard)
    unsure = [
        place
        for place, number in enumerate(stays)
        if number < 0 or any(name not in wanted[rows[place].source] for name in languages[number])
    ]
    guess, min_score = guesser(), settings.language.min_score
    foreign: dict[int, Spoken] = {}
    judged_rows = _judged([rows[place] for place in unsure], guess, settings.language)
    for place, judged in zip(unsure, judged_rows, strict=True):
        here = wanted[rows[place].source]
        found = [each for each in judged if is_foreign(each, here, guess, min_score=min_score)]
        if found and not _about_languages(rows[place]):
            foreign[place] = max(found, key=lambda each: each.score)
    kept = [row for place, row in enumerate(rows) if place not in foreign]
    dropped = [
        drop(rows[place], "language", f"{worst.language} {worst.score:.2f}")
        for place, worst in foreign.items()
    ]
    counts = Counter(from_array(known.own["counts"]))
    return Verdict(rows=Rows.of(kept), dropped=tuple(dropped), counts={"languages": counts})


def _judged(rows: Sequence[Row], guess: Guess, settings: LanguageSettings) -> list[list[Spoken]]:
    """What the texts of each row are written in, but for those that say too little."""
    texts = [_texts(row) for row in rows]
    distinct = list(dict.fromkeys(chain.from_iterable(texts)))  # texts come in many rows
    known = dict(zip(distinct, spoken(distinct, guess, min_letters=settings.min_letters), strict=True))
    return [[each for text in said if (each := known[text])] for said in texts]


def _texts(row: Row) -> Sequence[str]:
    """What is judged of a row; where there is no answer to it, the question may be in any language."""
    if isinstance(row, Document):
        return (row.text,)
    answers = [row.answer] if isinstance(row, Example) else [row.chosen, row.rejected]
    return answers if abstains(answers[0]) else [last_question(row.prompt), *answers]


def _about_languages(row: Row) -> bool:
    return not isinstance(row, Document) and bool(_ABOUT_LANGUAGES.search(last_question(row.prompt)))
