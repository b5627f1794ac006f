"""How rows are divided: what belongs together on one side, what was placed before where it was."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.prepare.settings import SplitSettings
from tasks.prepare.split.assigning import assign, sides_by_set, unite
from tasks.prepare.split.bridges import Bridge, inherit
from tasks.prepare.split.chronology import Chronology, chronology
from tasks.prepare.split.ledger import Ledger
from tasks.prepare.split.mentions import Mentions
from tasks.prepare.split.ties import Ties

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tasks.prepare.split.assigning import Names
    from tasks.prepare.split.notes import Notes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Division:
    """The side of each row by its number, and the ledger with what is new.

    `united` has for each row the row whose group it takes, and -1 for the `bridges`, which stand nowhere.
    `groups` counts those that the rows came with; `times` tells where splits by time begin.
    """

    sides: "NDArray[np.int8]"
    united: "NDArray[np.int64]"
    bridges: Mapping[int, Bridge]
    ledger: Ledger
    groups: int
    times: Chronology | None

    def sizes(self) -> "NDArray[np.int64]":
        """How many rows each group has, after groups were united."""
        import numpy as np

        return np.unique(self.united[self.united >= 0], return_counts=True)[1]


def divide(
    notes: "Notes",
    near: "NDArray[np.int64]",
    mentions: Mentions,
    names: "Names",
    ledger: Ledger,
    settings: SplitSettings,
) -> Division:
    """Each row on the side of what it belongs with: its group, its prompt, and rows that it is `near` to.

    So are the documents of `mentions`, where rows that name the same are to stand together.

    Where times decide, rows move on from one split to the next, so that nothing binds them to where they
    were: the ledger stays as it is, for whoever goes back to a split by hash.
    """
    import numpy as np

    by_time = settings.by == "time"
    ties = Ties(notes, near, mentions)
    inherited = inherit(notes, ties, Ledger.empty() if by_time else ledger)
    standing = np.ones(len(notes), bool)
    standing[list(inherited.bridges)] = False
    united = unite(ties, standing, names)
    times = chronology(notes, united, settings)
    where = sides_by_set(notes, united, times.where if times else notes["falls"], inherited.sides)
    if not by_time:
        rows, named = np.flatnonzero(standing), ties.named[standing[ties.named[:, 0]]]
        keys = [notes["prompt"][rows], notes["group"][rows], ties.bond_keys[named[:, 1]]]
        placed = where[united[np.concatenate([rows, rows, named[:, 0]])]]
        ledger = ledger.grown(np.concatenate(keys), placed)
    return Division(
        sides=assign(notes, united, where),
        united=united,
        bridges=inherited.bridges,
        ledger=ledger,
        groups=ties.count_groups,
        times=times,
    )
