"""How many rows of a split have what; they are counted shard by shard, as they are written."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tasks.prepare.split.shards import AskedKind
from tasks.rows.records import Example

if TYPE_CHECKING:
    import pyarrow as pa

_FEW = 20  # answers that a task may have for them to be labels
_LONGEST = 40  # characters of a label


@dataclass(slots=True)
class Tally:
    """Counts of examples by task, source and name that they are held out under; of preferences by the rest.

    `answers` has those of each task, as long as they may be labels: else None, so that memory stays bounded.
    """

    examples: int = 0
    preferences: int = 0
    tasks: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    held_out: Counter[str] = field(default_factory=Counter)
    flaws: Counter[str] = field(default_factory=Counter)
    judged_by: Counter[str] = field(default_factory=Counter)
    answers: dict[str, Counter[str] | None] = field(default_factory=dict)

    def counting(self, kind: AskedKind, tables: "Iterable[pa.Table]") -> "Iterator[pa.Table]":
        """The same tables, of rows of one kind, which are counted as they pass."""
        for table in tables:
            if kind is Example:
                self.examples += table.num_rows
                for counts, column in (
                    (self.tasks, "task"), (self.sources, "source"), (self.held_out, "held_out")
                ):  # fmt: skip
                    counts.update(_counted(table, column))
                self._count_answers(table)
            else:
                self.preferences += table.num_rows
                for flaw, count in _counted(table, "flaw").items():
                    self.flaws[flaw or "unknown"] += count
                self.judged_by.update(_counted(table, "label"))
            yield table

    def _count_answers(self, table: "pa.Table") -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        none = [task for task, found in self.answers.items() if found is None]
        left = table.filter(pc.invert(pc.is_in(table["task"], pa.array(none, pa.string()))))
        turns = left["messages"].combine_chunks()
        last = pc.subtract(turns.offsets[1:], 1)
        said = pa.table({"task": left["task"], "answer": turns.values.field("content").take(last)})
        found = said.group_by(["task", "answer"]).aggregate([([], "count_all")])
        for task, answer, count in zip(
            *(found[name].to_pylist() for name in ("task", "answer", "count_all")), strict=True
        ):
            self.add_answer(task, answer, count)

    def add_answer(self, task: str, answer: str, count: int) -> None:
        """Count an answer, unless its task has too many, or too long ones."""
        known = self.answers.setdefault(task, Counter())
        if known is not None:
            known[answer] += count
            if len(known) > _FEW or len(answer) > _LONGEST:
                self.answers[task] = None


def labels(tallies: Iterable[Tally]) -> dict[str, Counter[str]]:
    """The tasks whose answers are few and short in all of the splits, with these."""
    together = Tally()
    for tally in tallies:
        for task, found in tally.answers.items():
            if found is None:
                together.answers[task] = None
            else:
                for answer, count in found.items():
                    together.add_answer(task, answer, count)
    return {task: found for task, found in together.answers.items() if found is not None}


def _counted(table: "pa.Table", column: str) -> dict[str, int]:
    """How often each value stands in a column."""
    values, counts = table[column].value_counts().flatten()
    return dict(zip(values.to_pylist(), counts.to_pylist(), strict=True))
