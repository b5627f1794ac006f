"""Which rows went no further: how many for each reason, and the first of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tasks.prepare.clean.verdict import texts
from tasks.prepare.validate.tables import InFolder
from tasks.rows.records import Dropped, RowKind

SHOWN = 5  # rows that are kept for each reason


class Lot(NamedTuple):
    """What rows have in common that went no further: where, what they are, and why."""

    stage: str
    kind: RowKind
    reason: str


@dataclass(slots=True)
class Lost:
    """How many rows of a lot there are, and the first of them."""

    count: int = 0
    first: list[Dropped] = field(default_factory=list)


def gathered(rows: Iterable[Dropped]) -> dict[Lot, Lost]:
    """Rows by what they have in common, in the order in which they come."""
    found: dict[Lot, Lost] = {}
    for row in rows:
        lost = found.setdefault(Lot(row.stage, row.kind, row.reason), Lost())
        lost.count += 1
        if len(lost.first) < SHOWN:
            lost.first.append(row)
    return found


def texts_of(lost: Mapping[Lot, Lost], raw: Path) -> dict[tuple[RowKind, str], str]:
    """How those rows begin that are kept, by kind and id; of two with one id the last counts."""
    wanted = {(row.kind, row.id) for each in lost.values() for row in each.first if row.stage != "collect"}
    tables, found = InFolder(raw), dict[tuple[RowKind, str], str]()
    for kind in sorted({kind for kind, _ in wanted}):
        for number, shard in enumerate(tables.arrow(kind, ["id"])):
            places = [at for at, name in enumerate(shard["id"].to_pylist()) if (kind, name) in wanted]
            rows = tables.shard(kind, number, places) if places else ()
            found |= {(kind, row.id): texts(row)[0] for row in rows}
    return found
