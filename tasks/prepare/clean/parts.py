"""Steps that need all rows, in parts: what is noted of each shard, decided of all, and applied to each.

Notes are arrays, and as few of them as will do: of ten million rows there may be no object for each. What a
row is compared by is a hash of 128 bits, so that none is taken for another. A row's place is its number among
the rows of its kind.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tasks.machine.executors import Executor, InProcess
from tasks.prepare.clean.tables import Table
from tasks.prepare.clean.verdict import Reason, Verdict, drop
from tasks.prepare.clean_settings import CleanSettings
from tasks.prepare.similar.pairs import NearTexts
from tasks.rows.hashes import places_of
from tasks.rows.keys import text_keys
from tasks.rows.places import by_shard
from tasks.rows.records import ASKED, Document, Example, Preference, Row, RowKind, Rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Notes = Mapping[str, Any]  # arrays by their names
Decisions = Mapping[str, Notes]  # by the name of a shard, and what all are told by `SHARED`
SHARED = "shared"
DOCUMENTS: tuple[RowKind, ...] = ("document",)
KINDS: tuple[RowKind, ...] = (*DOCUMENTS, *ASKED)  # documents first: the others point to them


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """Rows of one kind that are worked on together."""

    kind: RowKind
    number: int
    rows: Rows

    @property
    def name(self) -> str:
        """What its decisions are called by."""
        return shard_name(self.kind, self.number)

    @property
    def asked(self) -> "tuple[Example | Preference, ...]":
        """Its rows where they are examples or preferences."""
        return self.rows.asked

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows.by_kind()[self.kind])

    def __len__(self) -> int:
        return len(self.rows.by_kind()[self.kind])


def shard_name(kind: RowKind, number: int) -> str:
    """The name of a shard among decisions."""
    return f"{kind}-{number:06d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is decided for a shard: for all (`shared`), and for it alone (`own`).

    `documents` gives those that there were when it was decided, and `near` gives texts to compare, by a name.
    """

    shared: Notes = field(default_factory=dict)
    own: Notes = field(default_factory=dict)
    documents: Callable[[], Table] | None = None
    near: Callable[[str], NearTexts]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is decided by: the notes of all shards by kind, the rows, and what an earlier part has decided."""

    notes: Mapping[RowKind, Sequence[Notes]]
    tables: Mapping[RowKind, Table]
    before: Decisions
    near: Callable[[str], NearTexts]
    executor: Executor = field(default_factory=InProcess)

    def column(self, kind: RowKind, name: str) -> "NDArray[Any]":
        """An array of all shards of a kind as one."""
        import numpy as np

        return np.concatenate([notes[name] for notes in self.notes[kind]])


def no_notes(shard: Shard, known: Known, settings: CleanSettings) -> Notes:
    """Nothing: there is nothing to note."""
    del shard, known, settings
    return {}


def noted_ids(shard: Shard, known: Known, settings: CleanSettings) -> Notes:
    """The keys of the ids of a shard: what `by_id` takes."""
    del known, settings
    return {"id": hashes(row.id for row in shard)}


def no_decisions(seen: Seen, settings: CleanSettings) -> Iterator[tuple[str, Notes]]:
    """Nothing: there is nothing to decide."""
    del seen, settings
    return iter(())


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a step; each function is one of a module, for it may run in another process.

    `note` sees the shards of the kinds `noted`, with what the part before has decided for each; `decide`
    gives decisions by the names of shards, and `apply` makes verdicts of the shards of the kinds `applied`.
    """

    noted: tuple[RowKind, ...] = ()
    note: Callable[[Shard, Known, CleanSettings], Notes] = no_notes
    decide: Callable[[Seen, CleanSettings], Iterator[tuple[str, Notes]]] = no_decisions
    applied: tuple[RowKind, ...] = ()
    apply: Callable[[Shard, Known, CleanSettings], Verdict] | None = None


def as_array(value: Any) -> "NDArray[np.uint8]":
    """What JSON can hold as an array, to be noted beside others."""
    import numpy as np

    return np.frombuffer(json.dumps(value).encode(), np.uint8)


def from_array(array: "NDArray[np.uint8]") -> Any:
    """What `as_array` was given."""
    return json.loads(bytes(array))


def hashes(values: Iterable[object]) -> "NDArray[np.bytes_]":
    """A hash of 128 bits for each of the values: texts, numbers, and tuples of such."""
    return text_keys(map(repr, values))


def by_id(ids: "NDArray[np.bytes_]") -> Notes:
    """Where each document stands, by the key of its id: what `named` looks up; the last one has the id."""
    import numpy as np

    known, behind = np.unique(ids[::-1], return_index=True)
    return {"ids": known, "places": len(ids) - 1 - behind}


def named(known: Known, names: Iterable[str]) -> dict[str, Document]:
    """The documents that have the given ids, as they were when `by_id` was decided."""
    import numpy as np

    at = places_of(hashes(names), known.shared["ids"])
    places = np.unique(known.shared["places"][at[at >= 0]])
    if known.documents is None or not len(places):
        return {}
    return {row.id: row for row in known.documents().rows_at(places) if isinstance(row, Document)}


def told_to_shards(
    kind: RowKind, table: Table, places: "NDArray[np.int64]", reasons: Sequence[Reason]
) -> Iterator[tuple[str, Notes]]:
    """The decision that the rows at ascending places go, each for a reason, for the shards they are in."""
    at = 0
    for number, within in by_shard(places, table.sizes):
        some = reasons[at : at + len(within)]
        told = as_array([(reason.name, reason.detail) for reason in some])
        yield shard_name(kind, number), {"gone": within, "reasons": told}
        at += len(within)


def without_gone(shard: Shard, known: Known, settings: CleanSettings) -> Verdict:
    """The rows of a shard but for those of which `told_to_shards` has said that they go."""
    del settings
    if "gone" not in known.own:
        return Verdict(rows=shard.rows)
    told = from_array(known.own["reasons"])
    gone = {place: Reason(*reason) for place, reason in zip(known.own["gone"].tolist(), told, strict=True)}
    kept = [row for place, row in enumerate(shard) if place not in gone]
    dropped = [drop(row, gone[at].name, gone[at].detail) for at, row in enumerate(shard) if at in gone]
    return Verdict(rows=Rows.of(kept), dropped=tuple(dropped))
