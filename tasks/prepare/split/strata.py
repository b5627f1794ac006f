"""How tasks, sources and labels are spread over the splits, and which split lacks one."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tasks.prepare.settings import SplitSettings
from tasks.prepare.split.ledger import SPLITS, SplitName
from tasks.rows.records import GENERAL_TASK, Rows

_FEW = 20  # answers that a task may have for them to be labels
_EACH = 5  # times that each of them stands there, on average; rarer ones are missed in no split
_TOLD = 5  # sentences that are printed
_LONGEST = 40  # characters of a label

Counts = Mapping[SplitName, Counter[str]]


def strata(splits: Mapping[SplitName, Rows]) -> dict[str, dict[str, dict[str, float]]]:
    """The share of each split that a task, source or label has: `{"tasks": {"chat": {"train": 0.5, ...}}}`.

    `tasks` and `sources` are over examples, `judged_by` over preferences, and `labels` (`TASK: ANSWER`) over
    the examples of tasks that have few answers.
    """
    return {name: _shares(counts) for name, counts in _counted(splits).items()}


def lacking(splits: Mapping[SplitName, Rows], settings: SplitSettings) -> list[str]:
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


def _counted(splits: Mapping[SplitName, Rows]) -> dict[str, Counts]:
    labels = _labels(splits.values())
    return {
        "tasks": {name: Counter(row.task for row in rows.examples) for name, rows in splits.items()},
        "sources": {name: Counter(row.source for row in rows.examples) for name, rows in splits.items()},
        "judged_by": {name: Counter(row.label for row in rows.preferences) for name, rows in splits.items()},
        "labels": {
            name: Counter(f"{row.task}: {row.answer}" for row in rows.examples if row.task in labels)
            for name, rows in splits.items()
        },
    }


def _labels(parts: Iterable[Rows]) -> set[str]:
    """The tasks whose answers are so few, so short and so frequent that they are labels."""
    answers: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for rows in parts:
        for row in rows.examples:
            answers[row.task][row.answer] += 1
    return {
        task
        for task, found in answers.items()
        if 1 < len(found) <= _FEW and found.total() >= _EACH * len(found) and max(map(len, found)) <= _LONGEST
    }


def _shares(counts: Counts) -> dict[str, Any]:
    names = sorted({name for found in counts.values() for name in found})
    return {
        name: {
            split: round(found[name] / found.total(), 4) if found else 0.0 for split, found in counts.items()
        }
        for name in names
    }
