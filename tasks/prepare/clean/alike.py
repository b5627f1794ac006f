"""Whether two rows that share most of their words are the same, so that one can stand for the other."""

from collections import Counter
from collections.abc import Collection, Hashable, Mapping

from tasks.prepare.similar.differences import told_apart
from tasks.prepare.similar.rows import Asked
from tasks.rows.literal import words
from tasks.rows.records import Document, Example, Row

_LONG = 20  # words of an answer that may differ in some of them
_SAME = 0.8  # share of its words that has to be in the other
_REWORDED = 0.95  # share of words from which on a `not` is what the difference is, and not one of its words


def answers_of(row: Asked) -> tuple[str, ...]:
    """The answer, or both answers, without what is no matter: the blanks."""
    answers = (row.answer,) if isinstance(row, Example) else (row.chosen, row.rejected)
    return tuple(" ".join(answer.split()) for answer in answers)


def alike(one: str, other: str) -> bool:
    """Whether two answers are the same: to the letter, or both long, with most words and all names alike."""
    if one == other:
        return True
    here, there = words(one), words(other)
    same, most = (Counter(here) & Counter(there)).total(), max(len(here), len(there))
    if min(len(here), len(there)) < _LONG or same < _SAME * most:
        return False
    return not told_apart(one, other, negations=same > _REWORDED * most)


def setting(row: Asked) -> Hashable:
    """What else a row is for: two that differ in this teach or measure different things."""
    system = tuple((turn.role, turn.content if turn.role == "system" else "") for turn in row.prompt)
    shared = (row.task, row.quote, row.held_out, row.takes_all, system)
    return (*shared, row.answerable if isinstance(row, Example) else row.label)


def is_needless(stays: Row, goes: Row, quotes: Mapping[str, Collection[str]]) -> bool:
    """Whether a document says nothing that the other does not."""
    return (
        isinstance(stays, Document)
        and isinstance(goes, Document)
        and words(stays.title) == words(goes.title)
        and stays.metadata == goes.metadata
        and stays.tags == goes.tags
        and all(quote in stays.text for quote in quotes[goes.id])
        and Counter(words(goes.text)) <= Counter(words(stays.text))
        and not told_apart(stays.text, goes.text)
    )
