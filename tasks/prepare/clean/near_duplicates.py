"""Drops rows that say nearly what an earlier row says: that one stays, and stands for them.

Training wants a question in many wordings. So an example or a preference goes only where its answer is the
same, and where this says something of the question: an answer that questions unlike each other have in common
(`Yes.`, `The documentation does not say.`) does not. A short answer is the same to the letter; in a long one
some words may differ, but no number, name or code, and a negation only among other words. What has another
answer stays; `split` keeps it on the side of the row that it is near to. A document is knowledge, and goes
only where it has no word that the earlier one lacks.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from tasks.prepare.clean.verdict import Verdict, drop
from tasks.prepare.clean_settings import CleanSettings
from tasks.prepare.similar.differences import told_apart
from tasks.prepare.similar.pairs import Pair, near_pairs
from tasks.prepare.similar.rows import Asked, near_rows, said
from tasks.rows.held_out import own_name
from tasks.rows.identity import united
from tasks.rows.literal import words
from tasks.rows.records import Dropped, Example, Preference, Row, Rows

_LONG = 20  # words of an answer that may differ in some of them
_SAME = 0.8  # share of its words that has to be in the other
_REWORDED = 0.95  # share of words from which on a `not` is what the difference is, and not one of its words
AskedT = TypeVar("AskedT", Example, Preference)


def drop_near_duplicates(rows: Rows, settings: CleanSettings) -> Verdict:
    """Rows without near repetitions; what rests on a document that goes rests on the one that stays.

    A test set of the user's own is left whole, and stands for no other row: `split` takes those out.
    """
    near = settings.near_duplicates
    if near is None:
        return Verdict(rows=rows)
    pages = _standing(_near_documents(rows, near))
    kept_as = {rows.documents[gone].id: rows.documents[pair.earlier].id for gone, pair in pages.items()}
    examples = [_resting(row, kept_as) for row in rows.examples]
    preferences = [_resting(row, kept_as) for row in rows.preferences]
    passed: list[Row] = []
    dropped: list[Dropped] = []
    parts: tuple[tuple[Sequence[Row], dict[int, Pair]], ...] = (
        (examples, _standing(_near_asked(examples, near))),
        (preferences, _standing(_near_asked(preferences, near))),
        (rows.documents, pages),
    )
    for part, gone in parts:
        for place, row in enumerate(part):
            if (pair := gone.get(place)) is None:
                passed.append(row)
            else:
                told = f"of {part[pair.earlier].id}, nearness {pair.nearness:.2f}"
                dropped.append(drop(row, "near_duplicate", told))
    return Verdict(rows=Rows.of(passed), dropped=tuple(dropped))


def _standing(pairs: Iterable[Pair]) -> dict[int, Pair]:
    """For the place of each row that goes the pair with the row that stands for it, which stays itself."""
    gone: dict[int, Pair] = {}
    for pair in sorted(pairs, key=lambda pair: (pair.later, pair.earlier)):
        if pair.earlier not in gone and pair.later not in gone:
            gone[pair.later] = pair
    return gone


def _resting(row: AskedT, kept_as: Mapping[str, str]) -> AskedT:
    """The row with the documents that stay as its evidence."""
    evidence = tuple(dict.fromkeys(kept_as.get(name, name) for name in row.evidence))
    return row if evidence == row.evidence else replace(row, evidence=evidence)


def _near_asked(rows: Sequence[Asked], near: float) -> list[Pair]:
    """The pairs of rows that are the same but for the wording."""
    places = [place for place, row in enumerate(rows) if not own_name(row)]
    found = near_rows([rows[place] for place in places], near=near, by=(said,))
    pairs = [replace(pair, earlier=places[pair.earlier], later=places[pair.later]) for pair in found]
    asking = united((str(pair.earlier), str(pair.later)) for pair in pairs)
    answers = {place: _answers(rows[place]) for place in places}
    family = _families(list(answers.values()), near)
    # The sets of near rows that give an answer: it is that of one question where there is one set.
    asked_by: dict[int, set[str]] = defaultdict(set)
    for place in places:
        asked_by[family[answers[place]]].add(asking.get(str(place), str(place)))
    return [
        pair
        for pair in pairs
        if len(asked_by[family[answers[pair.earlier]]]) == 1
        and _setting(rows[pair.earlier]) == _setting(rows[pair.later])
        and all(map(_alike, answers[pair.earlier], answers[pair.later]))
    ]


def _answers(row: Asked) -> tuple[str, ...]:
    """The answer, or both answers, without what is no matter: the blanks."""
    answers = (row.answer,) if isinstance(row, Example) else (row.chosen, row.rejected)
    return tuple(" ".join(answer.split()) for answer in answers)


def _alike(one: str, other: str) -> bool:
    """Whether two answers are the same: to the letter, or both long, with most words and all names alike."""
    if one == other:
        return True
    here, there = words(one), words(other)
    same, most = (Counter(here) & Counter(there)).total(), max(len(here), len(there))
    if min(len(here), len(there)) < _LONG or same < _SAME * most:
        return False
    return not told_apart(one, other, negations=same > _REWORDED * most)


def _families(answers: Sequence[tuple[str, ...]], near: float) -> dict[tuple[str, ...], int]:
    """A number for each answer, the same for those that are near to each other."""
    distinct = list(dict.fromkeys(answers))
    pairs = near_pairs(["\n".join(each) for each in distinct], near=near)
    first = united((str(pair.earlier), str(pair.later)) for pair in pairs)
    return {each: int(first.get(str(number), number)) for number, each in enumerate(distinct)}


def _setting(row: Asked) -> Hashable:
    """What else a row is for: two that differ in this teach or measure different things."""
    system = tuple((turn.role, turn.content if turn.role == "system" else "") for turn in row.prompt)
    shared = (row.task, row.quote, row.held_out, row.takes_all, system)
    return (*shared, row.answerable if isinstance(row, Example) else row.label)


def _near_documents(rows: Rows, near: float) -> list[Pair]:
    """The pairs of documents of which the later says nothing that the earlier does not."""
    quotes: dict[str, set[str]] = defaultdict(set)
    for row in rows.asked:
        for name in row.evidence:
            quotes[name].add(row.quote)
    hidden = {name for row in rows.asked for name in row.withheld}
    documents = rows.documents

    def needless(pair: Pair) -> bool:
        stays, goes = documents[pair.earlier], documents[pair.later]
        return (
            goes.id not in hidden
            and words(stays.title) == words(goes.title)
            and stays.metadata == goes.metadata
            and all(quote in stays.text for quote in quotes[goes.id])
            and Counter(words(goes.text)) <= Counter(words(stays.text))
            and not told_apart(stays.text, goes.text)
        )

    return [pair for pair in near_pairs([row.text for row in documents], near=near) if needless(pair)]
