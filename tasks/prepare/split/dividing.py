"""How rows are divided: what belongs together on one side, what was placed before where it was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tasks.prepare.decontamination.own_sets import RowKey, row_key
from tasks.prepare.settings import SplitSettings
from tasks.prepare.similar.pairs import Pair
from tasks.prepare.similar.rows import near_rows
from tasks.prepare.split.assigning import assign, sides_of, unite
from tasks.prepare.split.bridges import find_sides
from tasks.prepare.split.chronology import Chronology, chronology
from tasks.prepare.split.ledger import Ledger, SplitName, keys_of
from tasks.rows.records import Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """The rows of each split, all of them with their groups united, and the ledger with what is new.

    `bridges` are the rows that stand nowhere, each with why; `near` are the pairs that hold rows together, by
    their places among the rows that were divided; `times` tells where splits by time begin.
    """

    splits: Mapping[SplitName, Rows]
    united: Rows
    ledger: Ledger
    bridges: Mapping[RowKey, str]
    near: Sequence[Pair]
    times: Chronology | None


def divide(rows: Rows, ledger: Ledger, settings: SplitSettings) -> Division:
    """Each row on the side of what it belongs with: its group, its prompt, and rows that are near to it.

    Where times decide, rows move on from one split to the next, so that nothing binds them to where they
    were: the ledger stays as it is, for whoever goes back to a split by hash.
    """
    by_time = settings.by == "time"
    asked = rows.asked
    near = [] if settings.near_groups is None else near_rows(asked, near=settings.near_groups)
    found = find_sides(asked, near, Ledger({}) if by_time else ledger)
    standing = [place for place in range(len(asked)) if place not in found.bridges]
    left = [asked[place] for place in standing]
    united = unite(Rows.of(left), _among(standing, near))
    times = chronology(united, settings)
    where = sides_of(united, settings, found.placed, times.where if times else None)
    sides = {
        key: where[row.group] for came, row in zip(left, united.asked, strict=True) for key in keys_of(came)
    }
    return Division(
        splits=assign(united, where),
        united=united,
        ledger=ledger if by_time else ledger.grown(sides),
        bridges={row_key(asked[place]): told for place, told in found.bridges.items()},
        near=near,
        times=times,
    )


def _among(places: Sequence[int], near: Sequence[Pair]) -> list[Pair]:
    """The pairs of which both rows are at `places`, by their number among those."""
    numbers = {place: number for number, place in enumerate(places)}
    return [
        replace(pair, earlier=numbers[pair.earlier], later=numbers[pair.later])
        for pair in near
        if pair.earlier in numbers and pair.later in numbers
    ]
