"""The rows of a file on their way into a rehearsal, and those of other sources that they stand beside."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.prepare.collect.addresses import Addresses, by_id
from tasks.prepare.collect.joining import doubts
from tasks.prepare.collect.parts import Part
from tasks.prepare.validate.profile import Profile
from tasks.prepare.validate.selected import Selected, selected
from tasks.prepare.validate.tables import InMemory, Tables
from tasks.rows.arrow import arrow_of, schema
from tasks.rows.keys import KeyMap, joined, text_keys
from tasks.rows.records import ASKED, Document, Example, Preference, RowKind, Rows
from tasks.rows.tables import FILES, KINDS, rows_in, write_arrow

if TYPE_CHECKING:
    import pyarrow as pa

    from tasks.prepare.validate.selected import Mask
    from tasks.rows.keys import Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What the other sources than `own` had in the last run: their clean rows, and how many they collected.

    `accepted` is the profile of the rows that the gate let pass last, and `made_with` stands for the settings
    that rows are made with now. `known` is False where there was no run.
    """

    own: str
    others: Tables
    counts: Mapping[RowKind, int]
    known: bool
    accepted: Profile | None = None
    made_with: str = ""


def alone(own: str) -> Beside:
    """Nothing: there was no run."""
    return Beside(own=own, others=InMemory(Rows.of(())), counts={}, known=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """How many rows of each kind the file has, and the documents of other sources that they name.

    `unknown` counts rows that name a document which nobody knows: where there was no run, they go without it.
    """

    rows: Mapping[RowKind, int]
    named: Selected
    unknown: int


def entered(parts: Sequence[Part], beside: Beside, *, raw: Path) -> Entered:
    """Write the rows of the file into the folder `raw` as cleaning takes them, with documents that they name.

    Raises:
        SourceError: a question of a test set stands there with two answers.
    """

    def own(kind: RowKind, columns: list[str] | None = None) -> "Iterator[pa.Table]":
        return chain.from_iterable(part.tables(kind, columns) for part in parts)

    def others_too(columns: list[str]) -> "Iterator[pa.Table]":
        return chain(own("document", columns), beside.others.arrow("document", columns))

    addresses = Addresses((_texts(each, "id"), _texts(each, "uri")) for each in others_too(["id", "uri"]))
    mine = KeyMap(joined(text_keys(_texts(each, "id")) for each in own("document", ["id"])))
    names = joined(
        _names(by_id(each, addresses)) for kind in ASKED for each in own(kind, ["evidence", "withheld"])
    )
    known = KeyMap(names)

    def is_named(kind: RowKind, table: "pa.Table") -> "Mask":
        keys = text_keys(_texts(table, "id"))
        found: Mask = known.holds(keys) & ~mine.holds(keys) & (kind == "document")
        return found

    named = selected(beside.others, ["id"], is_named)
    without = not beside.known and not mine.holds(names).all()
    unknown = 0

    def asked(kind: RowKind) -> "Iterator[pa.Table]":
        nonlocal unknown
        for table in own(kind):
            resolved = by_id(table, addresses)
            if without:
                rows = [row for row in rows_in(resolved, kind) if not isinstance(row, Document)]
                left = [_stripped(row, mine) for row in rows]
                unknown += sum(a != b for a, b in zip(rows, left, strict=True))
                resolved = arrow_of(KINDS[kind], left)
            yield resolved

    written: dict[RowKind, Iterator[pa.Table]] = {kind: asked(kind) for kind in ASKED}
    written["document"] = chain(own("document"), named.arrow("document", schema(Document).names))
    for kind, tables in written.items():
        write_arrow(raw / FILES[KINDS[kind]], schema(KINDS[kind]), tables)
    doubts(raw)  # clean tells of these rows; what is an error is raised
    rows = {kind: sum(part.note.rows.get(kind, 0) for part in parts) for kind in KINDS}
    return Entered(rows=rows, named=named, unknown=unknown)


def _texts(table: "pa.Table", column: str) -> list[str]:
    found: list[str] = table[column].to_pylist()
    return found


def _names(table: "pa.Table") -> "Keys":
    """The documents that rows name, each once."""
    import numpy as np

    lists = (table[column].combine_chunks().flatten() for column in ("evidence", "withheld"))
    return np.unique(joined(text_keys(each.to_pylist()) for each in lists))


def _stripped(row: Example | Preference, known: KeyMap) -> Example | Preference:
    """The row without the documents that nobody knows."""

    def left(names: Sequence[str]) -> tuple[str, ...]:
        there = known.holds(text_keys(names)).tolist()
        return tuple(name for name, is_there in zip(names, there, strict=True) if is_there)

    evidence = left(row.evidence)
    return replace(row, evidence=evidence, withheld=left(row.withheld), quote=row.quote if evidence else "")
