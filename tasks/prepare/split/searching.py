"""Looks for held-out questions and items of evaluation sets in rows, shard by shard.

Words are weighed by how rare they are among all rows that are searched, so that these are read twice: to
count words, then to compare.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.machine.executors import Executor
from tasks.prepare.decontamination.evaluations import frequencies_beside, holding
from tasks.prepare.decontamination.frequencies import Frequencies, added
from tasks.prepare.decontamination.nearness import frequencies
from tasks.prepare.decontamination.own_sets import contaminated
from tasks.prepare.settings import SplitSettings
from tasks.prepare.similar.rows import Asked
from tasks.prepare.split.renaming import Renamed
from tasks.prepare.split.shards import Shard, Shards
from tasks.rows.records import EvaluationItem

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Found:
    """A row, by its place, that is like something held out: the reason, the set, and what more to say."""

    place: int
    reason: str
    name: str
    told: str


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The rows of a shard that are searched, by their places there, and the new names of groups of some."""

    shard: Shard
    places: "NDArray[np.int64]"
    groups: Mapping[int, str]

    def rows(self) -> Sequence[Asked]:
        """These rows as they came."""
        return self.shard.rows(self.places)

    def place(self, number: int) -> int:
        """The place of one of these rows among all that is asked."""
        return self.shard.start + int(self.places[number])

    def united(self, rows: Sequence[Asked]) -> list[Asked]:
        """The same rows with the groups that they were united into."""
        return [
            replace(row, group=self.groups.get(place, row.group))
            for place, row in zip(self.places.tolist(), rows, strict=True)
        ]


def parts_of(shards: Shards, chosen: "NDArray[np.bool_]", renamed: Renamed) -> list[Part]:
    """The rows whose places are `chosen`, by their shards."""
    import numpy as np

    found = ((shard, np.flatnonzero(chosen[shard.places])) for shard in shards)
    return [Part(shard, places, dict(renamed.within(shard))) for shard, places in found if len(places)]


def search_own(
    parts: Sequence[Part], own: Sequence[Asked], settings: SplitSettings, *, executor: Executor, work: Path
) -> Iterator[Found]:
    """The rows that ask what one of the user's own test sets asks, or are of the group of one.

    With `split.whole_documents` also those that name a document which one of these names.
    """
    if not own:
        return iter(())
    return _searched(parts, partial(_count_own, own), partial(_find_own, own, settings), executor, work)


def search_items(
    parts: Sequence[Part], items: Sequence[EvaluationItem], *, executor: Executor, work: Path
) -> Iterator[Found]:
    """The rows that hold an item of an evaluation set."""
    if not items:
        return iter(())
    return _searched(parts, partial(_count_items, items), partial(_find_items, items), executor, work)


def _searched(
    parts: Sequence[Part],
    count: Callable[[Part], Frequencies],
    find: Callable[[Path, Part], list[Found]],
    executor: Executor,
    work: Path,
) -> Iterator[Found]:
    if parts:
        added(executor.map(count, parts)).store(work)
    for found in executor.map(partial(find, work), parts):
        yield from found


def _count_own(own: Sequence[Asked], part: Part) -> Frequencies:
    return frequencies([row.prompt for row in part.rows()], [row.prompt for row in own])


def _find_own(own: Sequence[Asked], settings: SplitSettings, work: Path, part: Part) -> list[Found]:
    rows = part.rows()
    taken = contaminated(
        part.united(rows),
        own,
        [row.group for row in rows],
        near=settings.near,
        whole_documents=settings.whole_documents,
        among=Frequencies.stored(work),
    )
    return [Found(part.place(each.place), each.reason, each.held.held_out, each.told()) for each in taken]


def _count_items(items: Sequence[EvaluationItem], part: Part) -> Frequencies:
    return frequencies_beside(part.rows(), items)


def _find_items(items: Sequence[EvaluationItem], work: Path, part: Part) -> list[Found]:
    return [
        Found(part.place(each.place), each.reason, each.item.source, each.told())
        for each in holding(part.rows(), items, among=Frequencies.stored(work))
    ]
