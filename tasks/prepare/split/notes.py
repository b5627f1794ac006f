"""What is known of each row while it is decided where it stands: hashes and marks, of 37 bytes a row."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tasks.prepare.settings import SplitSettings
from tasks.prepare.similar.rows import Asked
from tasks.prepare.split.assigning import place
from tasks.prepare.split.ledger import keys_of
from tasks.prepare.split.sides import SPLITS, TEST, TRAIN, VALIDATION
from tasks.prepare.split.times import read_time
from tasks.rows.hashes import HASH, hashed, hashes, places_of
from tasks.rows.held_out import own_name
from tasks.rows.records import FOR_VALIDATION, GENERAL_TASK, Dropped, RowKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tasks.rows.hashes import Hashes

    Notes = NDArray[np.void]  # of NOTE, an entry for each row

# `standing` says what is done with a row: it is divided, validation holds it back, it is of a test set of the
# user's own, or it has a time that cannot be read.
DIVIDED, HELD_BACK, OWN, UNDATABLE = range(4)
NOTE = [
    ("prompt", HASH),
    ("group", HASH),
    ("falls", "i1"),  # the side that its group has by hash
    ("held_for", "i1"),  # the only side that it may stand on; TRAIN: any
    ("general", "?"),  # it has the task `general`
    ("replayed", "?"),  # and is an example
    ("standing", "i1"),
    ("when", "f8"),  # where times decide, seconds since 1970; not a number where it has no time
]
_HELD_FOR = {"": TRAIN, FOR_VALIDATION: VALIDATION}


def note(kind: RowKind, rows: Sequence[Asked], held_back: "Hashes", settings: SplitSettings) -> "Notes":
    """What is known of rows of a kind; `held_back` are those that validation holds back (`held_hashes`)."""
    import numpy as np

    found = np.zeros(len(rows), NOTE)
    keys = [keys_of(row) for row in rows]
    found["prompt"] = hashes(prompt for prompt, _ in keys)
    found["group"] = hashes(group for _, group in keys)
    falls = {group: SPLITS.index(place(group, settings)) for group in {row.group for row in rows}}
    found["falls"] = [falls[row.group] for row in rows]
    found["held_for"] = [_HELD_FOR.get(row.held_out, TEST) for row in rows]
    found["general"] = [row.task == GENERAL_TASK for row in rows]
    found["replayed"] = found["general"] & (kind == "example")
    found["standing"] = [OWN if own_name(row) else DIVIDED for row in rows]
    if settings.by == "time" and settings.time is not None:
        told = [row.metadata.get(settings.time, "").strip() for row in rows]
        when = [read_time(each) if each else None for each in told]
        found["when"] = [np.nan if each is None else each for each in when]
        unreadable = np.array([*map(bool, told)], bool) & np.isnan(found["when"])
        found["standing"][unreadable & (found["standing"] == DIVIDED)] = UNDATABLE
    if len(held_back):
        own = hashes(hashed(kind, row.id) for row in rows)
        found["standing"][places_of(own, held_back) >= 0] = HELD_BACK
    return found


def held_hashes(quarantine: Iterable[Dropped]) -> "Hashes":
    """The rows that validation holds back, as hashes that ascend."""
    import numpy as np

    return np.sort(hashes(hashed(row.kind, row.id) for row in quarantine))
