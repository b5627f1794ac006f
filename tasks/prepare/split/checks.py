"""What no split may be: leaking, or empty."""

from typing import TYPE_CHECKING

from tasks.errors import LeakError, SourceError
from tasks.prepare.settings import SplitSettings
from tasks.prepare.split.placing import Placing
from tasks.prepare.split.sides import NOWHERE, SPLITS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tasks.rows.hashes import Hashes


def check_leaks(placing: Placing) -> None:
    """Make sure that no group and no prompt stands in two splits.

    Raises:
        LeakError: one does.
    """
    sides = placing.sides
    for what, keys in (("the group", placing.groups), ("a prompt of the group", placing.notes["prompt"])):
        if pair := _apart(sides, keys):
            one, other = (SPLITS[side] for side in sorted(sides[list(pair)].tolist()))
            raise LeakError(f"{what} {placing.group_at(pair[0])!r} stands in {one} and in {other}")


def _apart(sides: "NDArray[np.int8]", keys: "Hashes") -> tuple[int, int] | None:
    """Two places on two sides that have one key."""
    import numpy as np

    places = np.flatnonzero(sides != NOWHERE)
    order = places[np.argsort(keys[places], kind="stable")]
    crossing = np.flatnonzero((keys[order[1:]] == keys[order[:-1]]) & (sides[order[1:]] != sides[order[:-1]]))
    return (int(order[crossing[0]]), int(order[crossing[0] + 1])) if len(crossing) else None


def check_filled(placing: Placing, settings: SplitSettings) -> None:
    """Make sure that each split that was asked for has an example.

    Raises:
        SourceError: one has none.
    """
    shares = {"train": 1.0, "validation": settings.validation, "test": settings.test}
    examples = {name: placing.counts("example", placing.sides == side)[1] for side, name in enumerate(SPLITS)}
    for name, count in examples.items():
        if any(examples.values()) and shares[name] > 0.0 and not count:
            groups = sum(placing.groups_by_split().values())
            if settings.by == "time":
                raise SourceError(
                    f"no example fell into the split {name!r}: rows of one time in {settings.time!r} stay "
                    f"together, and those of {groups} groups fill the others; name a column of finer times, "
                    "make their shares smaller, collect more, or set split.by to hash"
                )
            raise SourceError(
                f"no example fell into the split {name!r}: there are only {groups} groups; "
                "give split.salt another value, make its share larger, or collect more"
            )
