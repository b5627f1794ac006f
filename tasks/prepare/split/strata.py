"""How tasks, sources and labels are spread over the splits, and which split lacks one."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.prepare.settings import SplitSettings
from tasks.prepare.split.sides import SPLITS, SplitName
from tasks.prepare.split.tallies import Tally, labels
from tasks.rows.records import GENERAL_TASK

_EACH = 5  # times that each label stands there, on average; rarer ones are missed in no split
_TOLD = 5  # sentences that are printed

Counts = Mapping[SplitName, Counter[str]]


def strata(splits: Mapping[SplitName, Tally]) -> dict[str, dict[str, dict[str, float]]]:
    """The share of each split that a task, source or label has: `{"tasks": {"chat": {"train": 0.5, ...}}}`.

    `tasks` and `sources` are over examples, `judged_by` over preferences, and `labels` (`TASK: ANSWER`) over
    the examples of tasks that have few answers.
    """
    return {name: _shares(counts) for name, counts in _counted(splits).items()}


def lacking(splits: Mapping[SplitName, Tally], settings: SplitSettings) -> list[str]:
    """A sentence for each task, and each label that is no rare one, of which a split has no example."""
    asked_for = {"train": 1.0, "validation": settings.validation, "test": settings.test}
    counted = _counted(splits)
    told: list[str] = []
    for kind, word, fewest in (("tasks", "task", 1), ("labels", "label", _EACH)):
        counts = counted[kind]
        for name in sorted({name for found in counts.values() for name in found} - {GENERAL_TASK}):
            there = {split: counts[split][name] for split in SPLITS}
            without = [split for split in SPLITS if asked_for[split] > 0.0 and not there[split]]
            if without and sum(there.values()) >= fewest:
                having = ", ".join(f"{many} in {split}" for split, many in there.items() if many)
                told.append(f"{' and '.join(without)}: no example of the {word} {name!r} ({having})")
    return told


def shortened(sentences: Sequence[str]) -> list[str]:
    """The first of the sentences, and how many more there are: the report has all."""
    more = len(sentences) - _TOLD
    return [
        *sentences[:_TOLD],
        *([f"and {more} more like these, in data/reports/split.json"] if more > 0 else []),
    ]


def _counted(splits: Mapping[SplitName, Tally]) -> dict[str, Counts]:
    frequent = {
        task
        for task, found in labels(splits.values()).items()
        if len(found) > 1 and found.total() >= _EACH * len(found)
    }
    return {
        "tasks": {name: tally.tasks for name, tally in splits.items()},
        "sources": {name: tally.sources for name, tally in splits.items()},
        "judged_by": {name: tally.judged_by for name, tally in splits.items()},
        "labels": {
            name: Counter(
                {
                    f"{task}: {answer}": count
                    for task in frequent
                    for answer, count in (tally.answers.get(task) or {}).items()
                }
            )
            for name, tally in splits.items()
        },
    }


def _shares(counts: Counts) -> dict[str, Any]:
    names = sorted({name for found in counts.values() for name in found})
    return {
        name: {
            split: round(found[name] / found.total(), 4) if found else 0.0 for split, found in counts.items()
        }
        for name in names
    }
