"""Finds preferences that go round in a circle: A is better than B, B than C, and C than A.

No order of the answers agrees with all of them, so that at least one is wrong. Two opinions that contradict
each other directly are conflicts already; here are those that do so through others.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from tasks.prepare.clean.parts import Known, Notes, Part, Seen, Shard, hashes, told_to_shards, without_gone
from tasks.prepare.clean.verdict import Reason
from tasks.prepare.clean_settings import CleanSettings
from tasks.rows.held_out import own_name
from tasks.rows.identity import folded, prompt_key
from tasks.rows.records import RowKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PREFERENCES: tuple[RowKind, ...] = ("preference",)


def without_circles() -> Part:
    """Preferences without circles: `drop` takes out all that are in one, `first` those that close one."""
    return Part(noted=PREFERENCES, note=_noted, decide=_decide, applied=PREFERENCES, apply=without_gone)


def _noted(shard: Shard, known: Known, settings: CleanSettings) -> Notes:
    """The better and the worse answer of each row, told apart from those to other questions."""
    del known, settings
    asked = [
        (own_name(row), prompt_key(row.prompt), sorted({*row.withheld})) for row in shard.rows.preferences
    ]
    rows = list(zip(asked, shard.rows.preferences, strict=True))
    return {
        "better": hashes((question, folded(row.chosen)) for question, row in rows),
        "worse": hashes((question, folded(row.rejected)) for question, row in rows),
    }


def _decide(seen: Seen, settings: CleanSettings) -> Iterator[tuple[str, Notes]]:
    import numpy as np

    [kind] = PREFERENCES
    table = seen.tables[kind]
    ends = _numbered(seen.column(kind, "better"), seen.column(kind, "worse"))
    gone: list[tuple[int, Sequence[int]]] = []
    for circle in _circles(ends):
        kept = set(_without_closing(circle, ends) if settings.conflicts == "first" else ())
        gone += [(place, _others(circle, place)) for place in circle if place not in kept]
    gone.sort()
    told = np.unique(np.array([other for _, others in gone for other in others], np.int64))
    ids = dict(zip(told.tolist(), table.ids_at(told), strict=True))
    reasons = [
        Reason("conflict", f"in a circle with {', '.join(ids[other] for other in others)}")
        for _, others in gone
    ]
    yield from told_to_shards(kind, table, np.array([place for place, _ in gone], np.int64), reasons)


def _numbered(better: "NDArray[np.bytes_]", worse: "NDArray[np.bytes_]") -> "NDArray[np.int64]":
    """The numbers of the better and the worse answer of each row, [rows, 2]."""
    import numpy as np

    _, numbers = np.unique(np.concatenate([better, worse]), return_inverse=True)
    return numbers.reshape(2, -1).T.astype(np.int64)


def _circles(ends: "NDArray[np.int64]") -> Iterator[list[int]]:
    """The places of the rows of each set of circles that have an answer in common."""
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not len(ends):
        return
    count = int(ends.max()) + 1
    opinions: Any = coo_array((np.ones(len(ends), bool), (ends[:, 0], ends[:, 1])), shape=(count, count))
    _, sets = connected_components(opinions.tocsr(), directed=True, connection="strong")
    # There is a way back from the worse answer to the better one; that a text is better than itself is none.
    inside = np.flatnonzero((sets[ends[:, 0]] == sets[ends[:, 1]]) & (ends[:, 0] != ends[:, 1]))
    ordered = inside[np.argsort(sets[ends[inside, 0]], kind="stable")]
    starts = np.flatnonzero(np.diff(sets[ends[ordered, 0]]) > 0) + 1
    yield from (part.tolist() for part in np.split(ordered, starts) if len(part))


def _others(circle: Sequence[int], place: int) -> list[int]:
    return list(islice((other for other in circle if other != place), 3))


def _without_closing(circle: Sequence[int], ends: "NDArray[np.int64]") -> Iterator[int]:
    """Those of the rows, in their order, that close no circle with the ones before."""
    below: dict[int, set[int]] = defaultdict(set)
    for place in circle:
        better, worse = ends[place].tolist()
        reached, waiting = {worse}, [worse]
        while waiting:
            new = below[waiting.pop()] - reached
            reached |= new
            waiting += new
        if better not in reached:
            below[better].add(worse)
            yield place
