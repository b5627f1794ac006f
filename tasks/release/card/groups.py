"""How groups in the data fare: their share, the length of their texts, their scores, and how often they win.

A group is all rows with one value in a column that their source keeps. A column NAME may also be told of
each answer of a preference, as `chosen_NAME` and `rejected_NAME`: then it is counted how often a group's
answers win.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from deploy.messages import last_question
from tasks.evaluation.answers import AnsweredQuestion
from tasks.release.card.contents import words
from tasks.rows.records import Example, Preference
from tasks.scoring.shares import wilson

UNTOLD = "(not told)"
RowT = TypeVar("RowT", Example, Preference)
PartT = TypeVar("PartT")


def group_figures(
    column: str,
    examples: Mapping[str, Sequence[Example]],
    pairs: Mapping[str, Sequence[Preference]],
    answers: Sequence[AnsweredQuestion],
    *,
    smallest: int,
) -> dict[str, Any]:
    """The groups of a column: rows of all splits together, and what the ledger asked of the test.

    Rates and lengths of a group with fewer than `smallest` rows are None: they would say nothing, and might
    say who it is.
    """
    every = [row for part in examples.values() for row in part]
    judged = [pair for part in pairs.values() for pair in part]
    return {
        "examples": _examples(column, every, smallest),
        "preferences": _preferences(column, judged, smallest),
        "wins": _wins(column, judged, smallest),
        "scores": _scores(column, examples.get("test", ()), answers, smallest),
    }


def _examples(column: str, rows: Sequence[Example], smallest: int) -> list[dict[str, Any]]:
    return [
        {
            "group": group,
            "rows": len(part),
            "share": round(len(part) / len(rows), 4),
            "question_words": words(last_question(row.prompt) for row in part) if enough else None,
            "answer_words": words(row.answer for row in part) if enough else None,
            "abstains": _rate((not row.answerable for row in part), smallest),
        }
        for group, part in _ordered(_parted(column, rows))
        for enough in [len(part) >= smallest]
    ]


def _preferences(column: str, pairs: Sequence[Preference], smallest: int) -> list[dict[str, Any]]:
    return [
        {
            "group": group,
            "rows": len(part),
            "share": round(len(part) / len(pairs), 4),
            "longer_wins": _rate((len(pair.chosen) > len(pair.rejected) for pair in part), smallest),
        }
        for group, part in _ordered(_parted(column, pairs))
    ]


def _wins(column: str, pairs: Iterable[Preference], smallest: int) -> list[dict[str, Any]]:
    """How often the answers of a group win against those of others; two of one group tell nothing."""
    met: defaultdict[str, list[bool]] = defaultdict(list)
    for pair in pairs:
        better, worse = pair.metadata.get(f"chosen_{column}"), pair.metadata.get(f"rejected_{column}")
        if better and worse and better != worse:
            met[better].append(True)
            met[worse].append(False)
    return [{"group": group, "rows": len(won), "wins": _rate(won, smallest)} for group, won in _ordered(met)]


def _scores(
    column: str, test: Iterable[Example], answers: Iterable[AnsweredQuestion], smallest: int
) -> list[dict[str, Any]]:
    """For each group the mean score of each row of the ledger, over the questions that were asked."""
    groups = {row.id: row.metadata.get(column, UNTOLD) for row in test}
    asked: defaultdict[str, list[AnsweredQuestion]] = defaultdict(list)
    for answer in answers:
        if answer.id in groups:
            asked[groups[answer.id]].append(answer)
    return [
        {
            "group": group,
            "rows": len(part),
            "arms": {
                arm: _rate((each.arms[arm].score for each in part), smallest)
                for arm in (part[0].arms if part else ())
            },
        }
        for group, part in _ordered(asked)
    ]


def _rate(values: Iterable[float], smallest: int) -> dict[str, float] | None:
    """The mean of values between 0 and 1 with Wilson's interval; None of too few."""
    found = [float(value) for value in values]
    if len(found) < smallest:
        return None
    mean = sum(found) / len(found)
    low, high = wilson(mean, len(found))
    return {"mean": round(mean, 4), "low": round(low, 4), "high": round(high, 4)}


def _parted(column: str, rows: Iterable[RowT]) -> dict[str, list[RowT]]:
    """The rows of each group."""
    parts: defaultdict[str, list[RowT]] = defaultdict(list)
    for row in rows:
        parts[row.metadata.get(column, UNTOLD)].append(row)
    return parts


def _ordered(parts: Mapping[str, list[PartT]]) -> list[tuple[str, list[PartT]]]:
    """The groups by size, largest first; none where no row tells of its group."""
    if set(parts) == {UNTOLD}:
        return []
    sizes = Counter({group: len(part) for group, part in parts.items()})
    return [(group, parts[group]) for group, _ in sorted(sizes.items(), key=lambda each: (-each[1], each[0]))]
