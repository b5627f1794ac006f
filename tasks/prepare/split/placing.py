"""Where all rows stand, by their places: those that were divided, and the test sets of the user's own."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.machine.executors import Executor
from tasks.prepare.settings import SplitSettings
from tasks.prepare.similar.rows import Asked
from tasks.prepare.split.bridges import BRIDGE, Bridge
from tasks.prepare.split.chronology import UNREADABLE, unreadable
from tasks.prepare.split.dividing import Division, divide
from tasks.prepare.split.ledger import Ledger
from tasks.prepare.split.mentions import Mentions, mentions
from tasks.prepare.split.notes import DIVIDED, HELD_BACK, OWN, UNDATABLE
from tasks.prepare.split.noting import near_divided, noted
from tasks.prepare.split.renaming import Renamed
from tasks.prepare.split.searching import Found, Part, parts_of
from tasks.prepare.split.shards import Shards
from tasks.prepare.split.sides import NOWHERE, SPLITS, TEST, TRAIN, VALIDATION, SplitName
from tasks.rows.records import RowKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tasks.prepare.split.notes import Notes
    from tasks.rows.hashes import Hashes

Cause = tuple[str, str]  # the reason that rows are counted by, and what more there is to say


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placing:
    """The side of each row, the place of that whose group it takes, and why some stand nowhere.

    `sides` is NOWHERE for more rows as they are taken out. `near` counts the pairs that hold rows together,
    and `mentions` has the documents that do.
    """

    shards: Shards
    notes: "Notes"
    mentions: Mentions
    division: Division
    near: int
    sides: "NDArray[np.int8]"
    named_by: "NDArray[np.int64]"
    renamed: Renamed
    causes: dict[int, Cause]

    @property
    def groups(self) -> "Hashes":
        """The hash of the group that each row takes."""
        found: Hashes = self.notes["group"][self.named_by]
        return found

    def standing(self, what: int) -> "NDArray[np.bool_]":
        """Which rows have this in their notes."""
        found: NDArray[np.bool_] = self.notes["standing"] == what
        return found

    def own(self) -> list[Asked]:
        """The rows of the user's own test sets."""
        return list(self.shards.rows_at(self.standing(OWN).nonzero()[0]))

    def trained(self) -> list[Part]:
        """The rows that may be trained on, or validated with."""
        return parts_of(self.shards, (self.sides == TRAIN) | (self.sides == VALIDATION), self.renamed)

    def tested(self) -> list[Part]:
        """The rows that are tested with."""
        return parts_of(self.shards, self.sides == TEST, self.renamed)

    def take_out(self, found: Iterable[Found]) -> list[Found]:
        """Let these rows stand nowhere, and give them back."""
        taken = list(found)
        self.sides[[each.place for each in taken]] = NOWHERE
        self.causes.update({each.place: (each.reason, each.told) for each in taken})
        return taken

    def kind_at(self, place: int) -> RowKind:
        """The kind of a row."""
        return self.shards.holding(place).row_kind

    def group_at(self, place: int) -> str:
        """The name of the group of a row."""
        name: str = self.shards.texts_at("group", self.named_by[[place]])[0].as_py()
        return name

    def unused(self) -> "NDArray[np.bool_]":
        """Which rows stand in no split, but those that validation holds back."""
        return (self.sides == NOWHERE) & ~self.standing(HELD_BACK)

    def counts(self, kind: RowKind, which: "NDArray[np.bool_]") -> tuple[int, int]:
        """How many rows of a kind there are, and how many of these."""
        some = [which[shard.places] for shard in self.shards if shard.row_kind == kind]
        return sum(map(len, some)), sum(int(each.sum()) for each in some)

    def groups_by_split(self) -> dict[SplitName, int]:
        """How many groups each split has."""
        import numpy as np

        groups = self.groups
        return {name: len(np.unique(groups[self.sides == side])) for side, name in enumerate(SPLITS)}


def placed(
    shards: Shards,
    held_back: "Hashes",
    ledger: Ledger,
    settings: SplitSettings,
    *,
    executor: Executor,
    work: Path,
) -> Placing:
    """Divide the rows that validation does not hold back; the user's own test sets stand in the test whole.

    Raises:
        SourceError: rows are to be split by time, and none has one.
    """
    import numpy as np

    notes = noted(shards, held_back, settings, executor=executor, work=work)
    near = near_divided(shards, notes, settings, executor=executor, work=work)
    named = mentions(shards, executor) if settings.whole_documents else Mentions.none()
    places = np.flatnonzero(notes["standing"] == DIVIDED)
    division = divide(
        notes[places],
        near,
        named.among(places),
        lambda rows: shards.texts_at("group", places[rows]),
        ledger,
        settings,
    )
    sides = np.full(len(notes), NOWHERE, np.int8)
    sides[places] = division.sides
    sides[notes["standing"] == OWN] = TEST
    named_by = np.arange(len(notes))
    united = division.united >= 0
    named_by[places[united]] = places[division.united[united]]
    causes = dict(_bridges(division.bridges, places, shards))
    if settings.by == "time":
        told = UNREADABLE, unreadable(settings)
        causes.update(dict.fromkeys(np.flatnonzero(notes["standing"] == UNDATABLE).tolist(), told))
    return Placing(
        shards=shards,
        notes=notes,
        mentions=named,
        division=division,
        near=len(near),
        sides=sides,
        named_by=named_by,
        renamed=Renamed.of(named_by, notes["group"], shards),
        causes=causes,
    )


def _bridges(
    bridges: Mapping[int, Bridge], places: "NDArray[np.int64]", shards: Shards
) -> Iterator[tuple[int, Cause]]:
    """The place of each bridge with what it would join; rows are told by their ids."""
    import numpy as np

    numbers = np.unique(np.array([near for each in bridges.values() for near in each.near], np.int64))
    ids = dict(zip(numbers.tolist(), shards.texts_at("id", places[numbers]).to_pylist(), strict=True))
    for number, bridge in bridges.items():
        told = bridge.words.format(*(ids[near] for near in bridge.near))
        yield int(places[number]), (BRIDGE, told)
