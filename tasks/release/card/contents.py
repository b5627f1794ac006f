"""What stands in the splits: kinds of questions, who judged the preferences, how long texts are."""

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from deploy.messages import last_question
from tasks.rows.records import Example, Preference


def contents(
    examples: Mapping[str, Sequence[Example]], pairs: Mapping[str, Sequence[Preference]]
) -> dict[str, Any]:
    """For each split its rows and groups; over all of them tasks, labels and median lengths in words."""
    every = [row for part in examples.values() for row in part]
    judged = [pair for part in pairs.values() for pair in part]
    return {
        "splits": {
            name: {
                "examples": len(part),
                "preferences": len(pairs[name]),
                "groups": len({row.group for row in part} | {pair.group for pair in pairs[name]}),
                "unanswerable": sum(not row.answerable for row in part),
            }
            for name, part in examples.items()
        },
        "tasks": dict(Counter(row.task for row in every).most_common()),
        "labels": dict(Counter(pair.label for pair in judged).most_common()),
        "question_words": words(last_question(row.prompt) for row in every) if every else None,
        "answer_words": words(row.answer for row in every) if every else None,
    }


def words(texts: Any) -> float:
    """The median number of words of some texts."""
    return float(median(len(text.split()) for text in texts))
