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
    """Make sure that no group, no prompt and no document that holds rows together stands in two splits.

    Raises:
        LeakError: one does.
    """
    import numpy as np

    everywhere, named = np.arange(len(placing.sides)), placing.mentions
    for what, places, keys in (
        ("the group", everywhere, placing.groups),
        ("a prompt of the group", everywhere, placing.notes["prompt"]),
        ("a document of the group", named.rows, named.documents),
    ):
        if pair := _apart(placing.sides[places], keys):
            both = places[list(pair)]
            one, other = (SPLITS[side] for side in sorted(placing.sides[both].tolist()))
            raise LeakError(f"{what} {placing.group_at(int(both[0]))!r} stands in {one} and in {other}")


def _apart(sides: "NDArray[np.int8]", keys: "Hashes") -> tuple[int, int] | None:
    """Where two that are on two sides have one key."""
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
            sizes = placing.division.sizes()
            largest, total = sizes.max(initial=0), sizes.sum()
            if settings.whole_documents and 2 * largest > total:
                raise SourceError(
                    f"no example fell into the split {name!r}: {largest} of {total} rows stand together, for "
                    "rows that name several documents connect them; set split.whole_documents to false, or "
                    "have rows name fewer documents"
                )
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
