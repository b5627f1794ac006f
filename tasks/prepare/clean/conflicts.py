"""Drops rows that contradict each other: two answers to one question, or two opinions on one pair."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from tasks.prepare.clean.verdict import Verdict, drop
from tasks.prepare.clean_settings import CleanSettings
from tasks.rows.held_out import own_name
from tasks.rows.identity import prompt_key
from tasks.rows.records import Dropped, Example, Preference, Rows

RowT = TypeVar("RowT", Example, Preference)


def drop_conflicts(rows: Rows, settings: CleanSettings) -> Verdict:
    """Rows without contradictions: `drop` takes out all that contradict, `first` leaves the first.

    A question whose document is withheld has a right to another answer than the same question with it. A test
    set of the user's own is in no conflict with other rows: it is right, and `split` takes those out.
    """
    dropped: list[Dropped] = []
    examples = _agreeing(
        rows.examples,
        lambda e: (own_name(e), prompt_key(e.prompt), frozenset(e.withheld)),
        lambda e: e.answer,
        dropped,
        keep_first=settings.conflicts == "first",
    )
    preferences = _agreeing(
        rows.preferences,
        lambda p: (
            own_name(p),
            prompt_key(p.prompt),
            frozenset(p.withheld),
            frozenset((p.chosen, p.rejected)),
        ),
        lambda p: p.chosen,
        dropped,
        keep_first=settings.conflicts == "first",
    )
    return Verdict(
        rows=Rows(examples=tuple(examples), preferences=tuple(preferences), documents=rows.documents),
        dropped=tuple(dropped),
    )


def _agreeing(
    rows: Sequence[RowT],
    key: Callable[[RowT], Hashable],
    answer: Callable[[RowT], str],
    dropped: list[Dropped],
    *,
    keep_first: bool,
) -> list[RowT]:
    told: dict[Hashable, list[RowT]] = defaultdict(list)
    for row in rows:
        told[key(row)].append(row)
    kept: list[RowT] = []
    for row in rows:
        alike = told[key(row)]
        if all(answer(other) == answer(row) for other in alike) or (keep_first and row is alike[0]):
            kept.append(row)
        else:
            others = [other.id for other in alike if answer(other) != answer(row)]
            dropped.append(drop(row, "conflict", f"with {', '.join(others[:3])}"))
    return kept
