"""Which split each group falls into: that where it was before, else by its name, the salt and the shares."""

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from tasks.prepare.settings import SplitSettings
from tasks.prepare.split.sides import NOWHERE, TEST, TRAIN, SplitName

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from tasks.prepare.split.notes import Notes
    from tasks.prepare.split.ties import Ties

    Numbers = NDArray[np.int64]
    Sides = NDArray[np.int8]
    # The names of the groups of some rows, by the ascending numbers of these.
    Names = Callable[[Numbers], pa.Array]


def place(group: str, settings: SplitSettings) -> SplitName:
    """The split of a group: it depends on nothing but its name, the salt and the shares."""
    digest = hashlib.blake2b(f"{settings.salt}|{group}".encode(), digest_size=8).digest()
    where = int.from_bytes(digest, "big") / 2**64
    if where < settings.test:
        return "test"
    return "validation" if where < settings.test + settings.validation else "train"


def unite(ties: "Ties", standing: "NDArray[np.bool_]", names: "Names") -> "Numbers":
    """For each of the `standing` rows the row whose group it takes; -1 for the others.

    All that share a group or a prompt, or are near, take one: that of their names which sorts first.
    """
    import numpy as np
    import pyarrow.compute as pc

    rows = np.flatnonzero(standing)
    groups = ties.groups[rows]
    first = np.full(ties.count_groups, -1)  # the first row of each group
    first[groups[::-1]] = rows[::-1]
    set_of = ties.sets_of_groups(standing)
    members = np.flatnonzero(first >= 0)
    _, numbers, sizes = np.unique(set_of[members], return_inverse=True, return_counts=True)
    joined = members[sizes[numbers] > 1]  # the names of the others are no matter
    joined = joined[np.argsort(first[joined])]
    order = pc.array_sort_indices(names(first[joined])).to_numpy()
    named = np.full(int(set_of.max(initial=-1)) + 1, -1)
    named[set_of[joined[order[::-1]]]] = first[joined[order[::-1]]]
    of_group = np.where(named[set_of] >= 0, named[set_of], first)
    found = np.full(len(standing), -1)
    found[rows] = of_group[groups]
    return found


def sides_by_set(notes: "Notes", united: "Numbers", decided: "Sides", placed: "Sides") -> "Sides":
    """The side of each set of groups, at the number of the row that names it.

    It is that where rows of it were `placed` before, else what is `decided` for it, by hash or by time. Sets
    with rows of the task `general` are for training, those with nothing but rows that are held out for the
    test stand there.
    """
    import numpy as np

    standing = united >= 0
    askable = np.zeros(len(united), bool)
    askable[united[standing & (notes["held_for"] != TEST)]] = True
    where = np.where(askable, decided, TEST).astype(np.int8)
    where[united[standing & notes["replayed"]]] = TRAIN
    before = standing & (placed != NOWHERE)
    where[united[before]] = placed[before]
    return where


def assign(notes: "Notes", united: "Numbers", where: "Sides") -> "Sides":
    """The side of each row; NOWHERE for one that may not stand on that of its set."""
    import numpy as np

    sides = np.where(united >= 0, where[united], NOWHERE)
    held_for = notes["held_for"]
    return np.where((held_for == TRAIN) | (held_for == sides), sides, NOWHERE).astype(np.int8)
