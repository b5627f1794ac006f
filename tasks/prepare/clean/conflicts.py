"""Drops rows that contradict each other: two answers to one question, opinions on one pair or in a circle."""

from collections.abc import Callable, Hashable, Iterator
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from tasks.prepare.clean.circles import without_circles
from tasks.prepare.clean.parts import (
    Known,
    Notes,
    Part,
    Seen,
    Shard,
    hashes,
    told_to_shards,
    without_gone,
)
from tasks.prepare.clean.passes import Whole
from tasks.prepare.clean.verdict import Reason
from tasks.prepare.clean_settings import CleanSettings
from tasks.prepare.signals.subject import taught
from tasks.prepare.similar.differences import wording
from tasks.rows.held_out import own_name
from tasks.rows.identity import prompt_key
from tasks.rows.records import ASKED, Example, Preference, RowKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def without_conflicts(settings: CleanSettings) -> tuple[Part, ...]:
    """Rows without contradictions: `drop` takes out all that contradict, `first` leaves the first.

    Two questions are one where they have the same words, whatever the case and the punctuation; with a word
    more a question may be another. One whose document is withheld has a right to another answer than the same
    question with it. A test set of the user's own is in no conflict with other rows: it is right, and `split`
    takes those out.
    """
    del settings
    direct = Part(noted=ASKED, note=_noted, decide=_decide, applied=ASKED, apply=without_gone)
    return direct, without_circles()


drop_conflicts = Whole(without_conflicts)


def _noted(shard: Shard, known: Known, settings: CleanSettings) -> Notes:
    del known, settings
    said = cache(wording)  # questions come in many rows
    return {
        "key": hashes(_key(row, said) for row in shard.asked),
        "prompt": hashes(prompt_key(row.prompt) for row in shard.asked),
        "answer": hashes(taught(row) for row in shard.asked),
    }


def _key(row: Example | Preference, said: Callable[[str], tuple[str, ...]]) -> Hashable:
    """What makes two rows give an answer each to one question, or an opinion each on one pair."""
    pair = sorted((row.chosen, row.rejected)) if isinstance(row, Preference) else []
    # Text that is punctuation alone says what it says.
    asked = tuple((role, said(content) or content) for role, content in prompt_key(row.prompt))
    return own_name(row), asked, sorted({*row.withheld}), pair


def _decide(seen: Seen, settings: CleanSettings) -> Iterator[tuple[str, Notes]]:
    for kind in ASKED:
        yield from _contradicting(seen, kind, keep_first=settings.conflicts == "first")


def _contradicting(seen: Seen, kind: RowKind, *, keep_first: bool) -> Iterator[tuple[str, Notes]]:
    import numpy as np

    table, prompts, answers = seen.tables[kind], seen.column(kind, "prompt"), seen.column(kind, "answer")
    groups = _of_several_answers(seen.column(kind, "key"), answers)
    places = np.sort(np.concatenate([np.empty(0, np.int64), *groups]))
    facts = ((row.id, hashes([wording(taught(row))])[0]) for row in table.rows_at(places))
    ids, worded = {}, {}
    for place, (name, words) in zip(places.tolist(), facts, strict=True):
        ids[place], worded[place] = name, words

    def contradict(one: int, other: int) -> bool:
        if prompts[one] == prompts[other]:
            return bool(answers[one] != answers[other])
        # Where the questions differ in no more than signs, so may the answers.
        return bool(worded[one] != worded[other])

    against: dict[int, Reason] = {}
    for group in groups:
        alike = group.tolist()
        for place in alike[keep_first:]:
            others = (ids[other] for other in alike if contradict(place, other))
            if found := list(islice(others, 3)):
                against[place] = Reason("conflict", f"with {', '.join(found)}")
    gone = sorted(against)
    yield from told_to_shards(kind, table, np.array(gone, np.int64), [against[place] for place in gone])


def _of_several_answers(said: "NDArray[np.bytes_]", answers: "NDArray[np.bytes_]") -> list["NDArray[Any]"]:
    """The places of the rows of each question that has several answers."""
    import numpy as np

    _, questions, sizes = np.unique(said, return_inverse=True, return_counts=True)
    several = np.flatnonzero(sizes[questions] > 1)
    if not len(several):
        return []
    ordered = several[np.argsort(questions[several], kind="stable")]
    starts = np.flatnonzero(np.diff(questions[ordered], prepend=-1))
    _, numbers = np.unique(answers[ordered], return_inverse=True)
    differ = np.minimum.reduceat(numbers, starts) != np.maximum.reduceat(numbers, starts)
    return [group for group, others in zip(np.split(ordered, starts[1:]), differ, strict=True) if others]
