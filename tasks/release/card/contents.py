"""What stands in the splits: kinds of questions, who judged the preferences, how long texts are."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from deploy.messages import last_question
from tasks.rows.keys import joined, text_keys
from tasks.rows.records import Example, Preference

if TYPE_CHECKING:
    from tasks.rows.keys import Keys


class Contents:
    """Counts the rows of splits, of which it is given some at a time."""

    def __init__(self, splits: Sequence[str]) -> None:
        self._rows = {name: {"examples": 0, "preferences": 0, "unanswerable": 0} for name in splits}
        self._groups: defaultdict[str, list[Keys]] = defaultdict(list)
        self._tasks, self._labels = Counter[str](), Counter[str]()
        self._asked, self._answered = Lengths(), Lengths()

    def add(self, split: str, rows: Sequence[Example] | Sequence[Preference]) -> None:
        """Count rows of a split."""
        counts = self._rows[split]
        for row in rows:
            if isinstance(row, Example):
                counts["examples"] += 1
                counts["unanswerable"] += not row.answerable
                self._tasks[row.task] += 1
                self._asked.add(last_question(row.prompt))
                self._answered.add(row.answer)
            else:
                counts["preferences"] += 1
                self._labels[row.label] += 1
        self._groups[split].append(text_keys(row.group for row in rows))

    def figures(self) -> dict[str, Any]:
        """For each split its rows and groups; over all of them tasks, labels and median lengths in words."""
        import numpy as np

        return {
            "splits": {
                name: {**counts, "groups": len(np.unique(joined(self._groups[name])))}
                for name, counts in self._rows.items()
            },
            "tasks": dict(self._tasks.most_common()),
            "labels": dict(self._labels.most_common()),
            "question_words": self._asked.median(),
            "answer_words": self._answered.median(),
        }


class Lengths:
    """Counts texts by their number of words."""

    def __init__(self) -> None:
        self._counts = Counter[int]()

    def add(self, text: str) -> None:
        """Count a text."""
        self._counts[len(text.split())] += 1

    def median(self) -> float | None:
        """The median number of words; None of no texts."""
        if not self._counts:
            return None
        lengths = sorted(self._counts)
        ends = list(accumulate(self._counts[each] for each in lengths))
        middle = (ends[-1] - 1) // 2, ends[-1] // 2
        return sum(lengths[bisect_right(ends, place)] for place in middle) / 2
