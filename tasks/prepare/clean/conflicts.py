"""Drops rows that contradict each other: two answers to one question, or two opinions on one pair."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from functools import cache
from itertools import islice
from typing import TypeVar

from tasks.prepare.clean.verdict import Verdict, drop
from tasks.prepare.clean_settings import CleanSettings
from tasks.prepare.similar.differences import wording
from tasks.rows.held_out import own_name
from tasks.rows.identity import prompt_key
from tasks.rows.records import Dropped, Example, Preference, Rows

RowT = TypeVar("RowT", Example, Preference)


def drop_conflicts(rows: Rows, settings: CleanSettings) -> Verdict:
    """Rows without contradictions: `drop` takes out all that contradict, `first` leaves the first.

    Two questions are one where they have the same words, whatever the case and the punctuation; with a word
    more a question may be another. One whose document is withheld has a right to another answer than the same
    question with it. A test set of the user's own is in no conflict with other rows: it is right, and `split`
    takes those out.
    """
    dropped: list[Dropped] = []
    said = cache(wording)  # questions come in many rows
    examples = _agreeing(
        rows.examples,
        lambda e: (own_name(e), _asked(e, said), frozenset(e.withheld)),
        lambda e: e.answer,
        dropped,
        keep_first=settings.conflicts == "first",
    )
    preferences = _agreeing(
        rows.preferences,
        lambda p: (own_name(p), _asked(p, said), frozenset(p.withheld), frozenset((p.chosen, p.rejected))),
        lambda p: p.chosen,
        dropped,
        keep_first=settings.conflicts == "first",
    )
    return Verdict(
        rows=Rows(examples=tuple(examples), preferences=tuple(preferences), documents=rows.documents),
        dropped=tuple(dropped),
    )


def _asked(row: Example | Preference, said: Callable[[str], tuple[str, ...]]) -> Hashable:
    """What makes two questions one; text that is punctuation alone says what it says."""
    return tuple((role, said(content) or content) for role, content in prompt_key(row.prompt))


def _agreeing(
    rows: Sequence[RowT],
    key: Callable[[RowT], Hashable],
    answer: Callable[[RowT], str],
    dropped: list[Dropped],
    *,
    keep_first: bool,
) -> list[RowT]:
    prompts, answers = [prompt_key(row.prompt) for row in rows], [answer(row) for row in rows]

    def contradict(one: int, other: int) -> bool:
        if prompts[one] == prompts[other]:
            return answers[one] != answers[other]
        # Where the questions differ in no more than signs, so may the answers.
        return wording(answers[one]) != wording(answers[other])

    told: dict[Hashable, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        told[key(row)].append(place)
    against: dict[int, list[str]] = {}
    for alike in told.values():
        if len({answers[place] for place in alike}) > 1:
            for place in alike[keep_first:]:
                others = (rows[other].id for other in alike if contradict(place, other))
                if found := list(islice(others, 3)):
                    against[place] = found
    dropped += (
        drop(rows[place], "conflict", f"with {', '.join(ids)}") for place, ids in sorted(against.items())
    )
    return [row for place, row in enumerate(rows) if place not in against]
