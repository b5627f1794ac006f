"""Drops questions whose evidence is not there: nothing could be found that answers them."""

from collections.abc import Iterator

from tasks.prepare.clean.parts import (
    DOCUMENTS,
    SHARED,
    Known,
    Notes,
    Part,
    Seen,
    Shard,
    hashes,
    noted_ids,
)
from tasks.prepare.clean.passes import Whole
from tasks.prepare.clean.verdict import Verdict, drop
from tasks.prepare.clean_settings import CleanSettings
from tasks.rows.hashes import places_of
from tasks.rows.records import ASKED, Dropped, Row, Rows


def with_evidence(settings: CleanSettings) -> tuple[Part, ...]:
    """Rows whose evidence and withheld documents are all among the documents."""
    del settings
    return (Part(noted=DOCUMENTS, note=noted_ids, decide=_decide, applied=ASKED, apply=_applied),)


drop_missing_evidence = Whole(with_evidence)


def _decide(seen: Seen, settings: CleanSettings) -> Iterator[tuple[str, Notes]]:
    import numpy as np

    del settings
    yield SHARED, {"ids": np.unique(seen.column("document", "id"))}


def _applied(shard: Shard, known: Known, settings: CleanSettings) -> Verdict:
    del settings
    names = [*{name for row in shard.asked for name in (*row.evidence, *row.withheld)}]
    at = places_of(hashes(names), known.shared["ids"]).tolist()
    unknown = {name for name, place in zip(names, at, strict=True) if place < 0}
    kept: list[Row] = []
    dropped: list[Dropped] = []
    for row in shard.asked:
        missing = next((name for name in (*row.evidence, *row.withheld) if name in unknown), None)
        if missing is None:
            kept.append(row)
        else:
            dropped.append(drop(row, "missing_evidence", f"no document has the id {missing}"))
    return Verdict(rows=Rows.of(kept), dropped=tuple(dropped))
