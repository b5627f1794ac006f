"""The parts of all sources put together: evidence by id, corrections of people, test sets that are whole.

Rows stay in Arrow tables where nothing is to be changed, and of all of them only hashes have to be known.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.prepare.collect.addresses import Addresses, by_id
from tasks.prepare.collect.corrections import Corrections, left_out
from tasks.prepare.collect.own import OwnQuestions, lost_evidence
from tasks.prepare.collect.parts import Part
from tasks.rows.arrow import arrow_of, schema
from tasks.rows.held_out import own_name
from tasks.rows.keys import KeyMap, joined, text_keys
from tasks.rows.records import ASKED, Document, Dropped, Example, RowKind
from tasks.rows.tables import FILES, KINDS, ids_at, read_arrow, read_shards, rows_in, write_arrow

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(slots=True, kw_only=True)
class Joined:
    """How many rows of each kind were written, which people have left out, and doubts about test sets."""

    counts: dict[RowKind, int] = field(default_factory=dict)
    dropped: list[Dropped] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def join(parts: Sequence[Part], corrections: Corrections, *, raw: Path) -> Joined:
    """Write the rows of all parts into the folder `raw`, in their order, and say what became of them.

    Raises:
        SourceError: a question of a test set stands there with two answers.
    """
    raw.mkdir(parents=True, exist_ok=True)
    addresses = Addresses(_named(parts)) if any(map(_has_evidence, parts)) else None
    result, lost = Joined(), {kind: list[Dropped]() for kind in KINDS}

    def written(kind: RowKind, tables: "Iterable[pa.Table]") -> None:
        mended = (_mended(table, kind, corrections, lost[kind]) for table in tables)
        result.counts[kind] = write_arrow(raw / FILES[KINDS[kind]], schema(KINDS[kind]), mended)

    def asked(kind: RowKind) -> "Iterator[pa.Table]":
        for part in parts:
            for table in part.tables(kind):
                yield by_id(table, addresses) if addresses else table

    written("document", (table for part in parts for table in part.tables("document")))
    written("example", asked("example"))
    written("preference", asked("preference"))
    result.counts = {kind: result.counts[kind] for kind in KINDS}
    result.dropped = [row for kind in KINDS for row in lost[kind]]
    result.doubts = doubts(raw)
    return result


def _has_evidence(part: Part) -> bool:
    """Whether a row of the part names a document."""
    import pyarrow.compute as pc

    return any(
        pc.sum(pc.list_value_length(table["evidence"])).as_py()
        for kind in ASKED
        for table in part.tables(kind, ["evidence"])
    )


def _named(parts: Iterable[Part]) -> Iterator[tuple[list[str], list[str]]]:
    """The ids and the URIs of the documents."""
    for part in parts:
        for table in part.tables("document", ["id", "uri"]):
            yield table["id"].to_pylist(), table["uri"].to_pylist()


def _mended(table: "pa.Table", kind: RowKind, corrections: Corrections, lost: list[Dropped]) -> "pa.Table":
    """The rows with what people have said of them; those that they leave out go to `lost`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = pa.array(corrections.ids(kind), pa.string())
    if not len(wanted) or not pc.any(pc.is_in(table["id"], wanted)).as_py():
        return table
    told = [(row, corrections.told(row)) for row in rows_in(table, kind)]
    lost += [left_out(row) for row, now in told if now is None]
    return arrow_of(KINDS[kind], [now for _, now in told if now is not None])


def doubts(raw: Path) -> list[str]:
    """A sentence for each question of a test set of the user's own that `clean` will drop.

    Raises:
        SourceError: one stands there with two answers, so that no model could be right.
    """
    import pyarrow.compute as pc

    path = raw / FILES[Example]
    held_out = list(read_arrow(path, Example, columns=["held_out"]))
    starts = list(accumulate((len(table) for table in held_out), initial=0))
    found, lost = OwnQuestions(), list[str]()
    documents: KeyMap | None = None
    for number, table in enumerate(held_out):
        if not pc.any(pc.not_equal(table["held_out"], "")).as_py():
            continue
        (rows,) = read_shards(path, Example, [number])
        for place, row in enumerate(rows, start=starts[number]):
            if own_name(row):
                documents = documents or _document_keys(raw)
                found.add(row, place)
                lost += lost_evidence(row, documents)
    return [*found.doubts(partial(ids_at, path, Example)), *lost]


def _document_keys(raw: Path) -> KeyMap:
    shards = read_arrow(raw / FILES[Document], Document, columns=["id"])
    return KeyMap(joined(text_keys(table["id"].to_pylist()) for table in shards))
