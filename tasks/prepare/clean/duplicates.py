"""Drops exact repetitions: the first row of its kind stays, and what pointed to another points to it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from tasks.prepare.clean.parts import (
    DOCUMENTS,
    KINDS,
    SHARED,
    Known,
    Notes,
    Part,
    Seen,
    Shard,
    as_array,
    from_array,
    hashes,
    told_to_shards,
    without_gone,
)
from tasks.prepare.clean.passes import Whole
from tasks.prepare.clean.verdict import Reason, Verdict
from tasks.prepare.clean_settings import CleanSettings
from tasks.rows.hashes import places_of
from tasks.rows.held_out import own_name
from tasks.rows.identity import prompt_key
from tasks.rows.records import ASKED, Document, Example, Preference, Row, RowKind, Rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Places = NDArray[np.int64]


def without_duplicates(settings: CleanSettings) -> tuple[Part, ...]:
    """Rows without exact repetitions, and without a second row under an id that is taken.

    A test set of the user's own is no repetition of other rows: `split` takes those out, and leaves it whole.
    """
    del settings
    documents = Part(noted=DOCUMENTS, note=_noted, decide=_decide_documents, applied=KINDS, apply=_applied)
    return documents, Part(noted=ASKED, note=_noted, decide=_decide_asked, applied=ASKED, apply=without_gone)


drop_duplicates = Whole(without_duplicates)


def _noted(shard: Shard, known: Known, settings: CleanSettings) -> Notes:
    del known, settings
    return {"key": hashes(map(_said, shard)), "id": hashes(row.id for row in shard)}


def _said(row: Row) -> tuple[object, ...]:
    """What is repeated where it stands in another row."""
    match row:
        case Document():
            return " ".join(row.title.split()), " ".join(row.text.split()), *row.tags
        case Example():
            said: tuple[object, ...] = (row.answer,)
        case Preference():
            said = (row.chosen, row.rejected)
    return own_name(row), prompt_key(row.prompt), *said, sorted({*row.withheld})


def _decide_asked(seen: Seen, settings: CleanSettings) -> Iterator[tuple[str, Notes]]:
    del settings
    for kind in ASKED:
        yield from _told(seen, kind, *_repeated(seen.column(kind, "key"), seen.column(kind, "id")))


def _decide_documents(seen: Seen, settings: CleanSettings) -> Iterator[tuple[str, Notes]]:
    """Beside the documents that go, for the ids of those: the id of the document that stays."""
    import numpy as np

    del settings
    [kind], ids = DOCUMENTS, seen.column("document", "id")
    gone, first = _repeated(seen.column(kind, "key"), ids)
    yield from _told(seen, kind, gone, first)
    copies = first >= 0
    old, at = np.unique(ids[gone[copies]], return_index=True)
    lost = places_of(old, np.unique(np.delete(ids, gone))) < 0  # under no id that another document has
    names = seen.tables[kind].ids_at(first[copies][at][lost])
    yield SHARED, {"old": old[lost], "new": as_array(names)}


def _told(seen: Seen, kind: RowKind, gone: "Places", first: "Places") -> Iterator[tuple[str, Notes]]:
    import numpy as np

    table = seen.tables[kind]
    told = iter(table.ids_at(np.where(first < 0, gone, first)))
    reasons = [
        Reason("duplicate_id", f"{name} is the id of another row")
        if at < 0
        else Reason("duplicate", f"of {name}")
        for at, name in zip(first.tolist(), told, strict=True)
    ]
    yield from told_to_shards(kind, table, gone, reasons)


def _repeated(said: "NDArray[np.bytes_]", ids: "NDArray[np.bytes_]") -> tuple["Places", "Places"]:
    """The places of the rows that go, and for each that of the row that it repeats; -1: its id is taken.

    Only rows that share something with another are looked at one by one.
    """
    import numpy as np

    _, texts, sizes = np.unique(said, return_inverse=True, return_counts=True)
    _, names, uses = np.unique(ids, return_inverse=True, return_counts=True)
    first = np.full(len(sizes), -1, np.int64)
    taken = np.zeros(len(uses), bool)
    gone: list[int] = []
    of: list[int] = []
    for place in np.flatnonzero((sizes[texts] > 1) | (uses[names] > 1)).tolist():
        earlier = int(first[texts[place]])
        if earlier < 0 and not taken[names[place]]:
            first[texts[place]] = place
            taken[names[place]] = True
        else:
            gone.append(place)
            of.append(earlier)
    return np.array(gone, np.int64), np.array(of, np.int64)


def _applied(shard: Shard, known: Known, settings: CleanSettings) -> Verdict:
    if shard.kind in DOCUMENTS:
        return without_gone(shard, known, settings)
    kept_as = standing_for(shard, known)
    return Verdict(rows=Rows.of(_pointing(row, kept_as) for row in shard.asked))


def standing_for(shard: Shard, known: Known) -> Mapping[str, str]:
    """For the ids of documents that went, which rows of a shard point to, the id of the one that stays."""
    if not len(known.shared["old"]):
        return {}
    new = from_array(known.shared["new"])
    names = [*{name for row in shard.asked for name in (*row.evidence, *row.withheld)}]
    at = places_of(hashes(names), known.shared["old"]).tolist()
    return {name: new[place] for name, place in zip(names, at, strict=True) if place >= 0}


def _pointing(row: Example | Preference, kept_as: Mapping[str, str]) -> Row:
    evidence, withheld = pointed(row.evidence, kept_as), pointed(row.withheld, kept_as)
    same = (evidence, withheld) == (row.evidence, row.withheld)
    return row if same else replace(row, evidence=evidence, withheld=withheld)


def pointed(ids: tuple[str, ...], kept_as: Mapping[str, str]) -> tuple[str, ...]:
    """The ids with that of the document that stays in the place of each that went, once."""
    return tuple(dict.fromkeys(kept_as.get(name, name) for name in ids))
