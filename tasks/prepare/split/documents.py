"""The documents of the splits: they stay whole, they are knowledge, not questions."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.machine.executors import Executor
from tasks.prepare.decontamination.evaluations import documents_holding
from tasks.prepare.split.searching import Found, Part
from tasks.rows.arrow import default_of, rows_of
from tasks.rows.hashes import hashed, hashes, places_of
from tasks.rows.records import Document, EvaluationItem
from tasks.rows.tables import read_arrow, shard_sizes

if TYPE_CHECKING:
    import pyarrow as pa

    from tasks.rows.hashes import Hashes

TAGGED = "tagged"


@dataclass(frozen=True, slots=True, eq=False)
class Documents:
    """The documents of a table but those that validation holds back, shard by shard.

    Those with tags are among them only where they are `with_tags`.
    """

    path: Path
    held_back: "Hashes"
    with_tags: bool

    def counts(self) -> tuple[int, int]:
        """How many there are with those that are held back, and without; with tags or not."""
        came = sum(shard_sizes(self.path, Document))
        return came, sum(table.num_rows for table in self._good(columns=["id"]))

    def tables(self, numbers: Sequence[int] | None = None) -> "Iterator[pa.Table]":
        """The documents as Arrow tables; `numbers` asks for some shards."""
        for table in self._good(numbers):
            yield table if self.with_tags else table.filter(_has_tags(table, False))

    def closed(self) -> set[str]:
        """The ids of those that are left out for their tags."""
        if self.with_tags:
            return set()
        tables = self._good(columns=["id", "tags"])
        return {name for table in tables for name in table.filter(_has_tags(table, True))["id"].to_pylist()}

    def untagged(self) -> "Iterator[pa.Table]":
        """The documents without their tags: training and evaluation see all, and change with none of them."""
        for table in self.tables():
            place = table.schema.get_field_index("tags")
            field = table.schema.field(place)
            yield table.set_column(place, field, default_of(Document, field, len(table)))

    def _good(
        self, numbers: Sequence[int] | None = None, *, columns: Sequence[str] | None = None
    ) -> "Iterator[pa.Table]":
        for table in read_arrow(self.path, Document, numbers, columns=columns):
            ids = hashes(hashed("document", each) for each in table["id"].to_pylist())
            yield table.filter(places_of(ids, self.held_back) < 0)

    def __iter__(self) -> Iterator[Document]:
        for table in self.tables():
            yield from rows_of(Document, table)

    def holding(self, items: Sequence[EvaluationItem], executor: Executor) -> Counter[str]:
        """How many of them hold an item of an evaluation set, by the file of the item."""
        counts = Counter[str]()
        if items:
            numbers = range(len(shard_sizes(self.path, Document)))
            for found in executor.map(partial(_holding, self, items), numbers):
                counts.update(found)
        return counts


def resting_on(closed: set[str], parts: Iterable[Part]) -> Iterator[Found]:
    """The rows that have one of these documents as evidence."""
    for part in parts if closed else ():
        for number, row in enumerate(part.rows()):
            if found := sorted(closed.intersection(row.evidence)):
                yield Found(part.place(number), TAGGED, "", f"rests on {found[0]}")


def _has_tags(table: "pa.Table", which: bool) -> "pa.ChunkedArray":
    """Which documents of a table have tags, or, where that is False, have none."""
    import pyarrow.compute as pc

    return pc.equal(pc.greater(pc.list_value_length(table["tags"]), 0), which)


def _holding(documents: Documents, items: Sequence[EvaluationItem], number: int) -> Counter[str]:
    (table,) = documents.tables([number])
    return documents_holding(rows_of(Document, table), items)
