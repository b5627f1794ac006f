"""How groups in the data fare: their share, the length of their texts, their scores, and how often they win.

A group is all rows with one value in a column that their source keeps. A column NAME may also be told of
each answer of a preference, as `chosen_NAME` and `rejected_NAME`: then it is counted how often a group's
answers win.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from deploy.messages import last_question
from tasks.evaluation.answers import AnsweredQuestion
from tasks.release.card.contents import Lengths
from tasks.rows.records import Example, Preference
from tasks.scoring.shares import wilson

UNTOLD = "(not told)"
PartT = TypeVar("PartT")


@dataclass(slots=True)
class _Asked:
    """The examples of a group."""

    rows: int = 0
    unanswerable: int = 0
    questions: Lengths = field(default_factory=Lengths)
    answers: Lengths = field(default_factory=Lengths)


@dataclass(slots=True)
class _Judged:
    """The preferences of a group, or its answers that met those of others: how many, and how often so."""

    rows: int = 0
    times: int = 0

    def add(self, so: bool) -> None:
        self.rows += 1
        self.times += so


class Groups:
    """Counts the rows of the groups of a column, of which it is given some at a time.

    `answers` are what the ledger asked of the test. Rates and lengths of a group with fewer than `smallest`
    rows are None: they would say nothing, and might say who it is.
    """

    def __init__(self, column: str, answers: Iterable[AnsweredQuestion], *, smallest: int) -> None:
        self._column, self._smallest = column, smallest
        self._answers = list(answers)
        self._asked = {each.id for each in self._answers}
        self._group_of = dict[str, str]()
        self._examples: defaultdict[str, _Asked] = defaultdict(_Asked)
        self._preferences: defaultdict[str, _Judged] = defaultdict(_Judged)
        self._met: defaultdict[str, _Judged] = defaultdict(_Judged)

    def add(self, split: str, rows: Sequence[Example] | Sequence[Preference]) -> None:
        """Count rows of a split."""
        for row in rows:
            group = row.metadata.get(self._column, UNTOLD)
            if isinstance(row, Preference):
                self._preferences[group].add(len(row.chosen) > len(row.rejected))
                self._meet(row)
                continue
            asked = self._examples[group]
            asked.rows += 1
            asked.unanswerable += not row.answerable
            asked.questions.add(last_question(row.prompt))
            asked.answers.add(row.answer)
            if split == "test" and row.id in self._asked:
                self._group_of[row.id] = group

    def _meet(self, pair: Preference) -> None:
        """Count which group's answer wins; two of one group tell nothing."""
        better, worse = (pair.metadata.get(f"{side}_{self._column}") for side in ("chosen", "rejected"))
        if better and worse and better != worse:
            self._met[better].add(True)
            self._met[worse].add(False)

    def figures(self) -> dict[str, Any]:
        """The groups by size: rows of all splits together, and what the ledger asked of the test."""
        return {
            "examples": self._of_examples(),
            "preferences": self._of_preferences(),
            "wins": [
                {"group": group, "rows": each.rows, "wins": self._rate(each.times, each.rows)}
                for group, each in _ordered(self._met, _rows)
            ],
            "scores": self._scores(),
        }

    def _of_examples(self) -> list[dict[str, Any]]:
        every = sum(map(_rows, self._examples.values()))
        return [
            {
                "group": group,
                "rows": each.rows,
                "share": round(each.rows / every, 4),
                "question_words": each.questions.median() if each.rows >= self._smallest else None,
                "answer_words": each.answers.median() if each.rows >= self._smallest else None,
                "abstains": self._rate(each.unanswerable, each.rows),
            }
            for group, each in _ordered(self._examples, _rows)
        ]

    def _of_preferences(self) -> list[dict[str, Any]]:
        every = sum(map(_rows, self._preferences.values()))
        return [
            {
                "group": group,
                "rows": each.rows,
                "share": round(each.rows / every, 4),
                "longer_wins": self._rate(each.times, each.rows),
            }
            for group, each in _ordered(self._preferences, _rows)
        ]

    def _scores(self) -> list[dict[str, Any]]:
        """For each group the mean score of each row of the ledger, over the questions that were asked."""
        asked: defaultdict[str, list[AnsweredQuestion]] = defaultdict(list)
        for answer in self._answers:
            if answer.id in self._group_of:
                asked[self._group_of[answer.id]].append(answer)
        return [
            {
                "group": group,
                "rows": len(part),
                "arms": {
                    arm: self._rate(sum(each.arms[arm].score for each in part), len(part))
                    for arm in (part[0].arms if part else ())
                },
            }
            for group, part in _ordered(asked, len)
        ]

    def _rate(self, total: float, count: int) -> dict[str, float] | None:
        """The mean of values between 0 and 1 with Wilson's interval; None of too few."""
        if count < self._smallest:
            return None
        mean = total / count
        low, high = wilson(mean, count)
        return {"mean": round(mean, 4), "low": round(low, 4), "high": round(high, 4)}


def _rows(part: _Asked | _Judged) -> int:
    return part.rows


def _ordered(parts: Mapping[str, PartT], size: Callable[[PartT], int]) -> list[tuple[str, PartT]]:
    """The groups by size, largest first; none where no row tells of its group."""
    if set(parts) == {UNTOLD}:
        return []
    return sorted(parts.items(), key=lambda each: (-size(each[1]), each[0]))
