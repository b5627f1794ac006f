"""The split by time: the newest rows are the test, those before them validation, older ones are for training.

A group stands where its newest row does, so that no row of training is newer than the test begins. Rows of
the same time are never parted, so that a split may be larger than its share. Where new rows come the test
moves on, and rows of an older test are trained on: a test by time asks how a model fares with what comes
after it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tasks.errors import SourceError
from tasks.prepare.settings import SplitSettings
from tasks.prepare.split.sides import SPLITS, TEST, TRAIN, VALIDATION
from tasks.prepare.split.times import told_time

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tasks.prepare.split.notes import Notes

UNREADABLE = "unreadable_time"
_ROUNDED = 1e-6  # 0.3 of ten rows are three


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chronology:
    """The side of each set of groups, at the number of the row that names it; and figures for the report.

    These say where the splits begin, and how many rows have no time.
    """

    where: "NDArray[np.int8]"
    figures: Mapping[str, Any]

    def told(self) -> str:
        """In a sentence."""
        begin = ", ".join(
            f"{name} from {self.figures[f'{name}_from']} on"
            for name in ("validation", "test")
            if self.figures[f"{name}_from"]
        )
        undated = self.figures["undated"]
        return f"by {self.figures['column']}: {begin or 'all of it trains'}" + (
            f"; {undated} rows have no time and are trained on, whenever they were written" if undated else ""
        )


def unreadable(settings: SplitSettings) -> str:
    """Why a row whose time cannot be read stands nowhere, without what stands there.

    Nobody knows whether it may be trained on.
    """
    return f"{settings.time} is neither ISO 8601 nor seconds since 1970"


def chronology(notes: "Notes", united: "NDArray[np.int64]", settings: SplitSettings) -> Chronology | None:
    """The side of every set of groups by the time of its newest row; None where rows are not split by time.

    Sets without any time are for training, as are those of the task `general`. Shares are of the rows that
    have a time and may be trained on.

    Raises:
        SourceError: no row has a time.
    """
    import numpy as np

    if settings.by != "time" or settings.time is None:
        return None
    standing = united >= 0
    undated = standing & np.isnan(notes["when"])
    dated = standing & ~undated & ~notes["replayed"]
    if not dated.any():
        raise SourceError(
            f"no row has a time in its column {settings.time!r}, which split.time names; give its source "
            f"`keep: [{settings.time}]` in params.yaml, or set split.by to hash"
        )
    newest = np.full(len(notes), -np.inf)
    np.maximum.at(newest, united[dated], notes["when"][dated])
    counts = np.bincount(united[dated], weights=notes["held_for"][dated] == TRAIN, minlength=len(notes))
    has_time = np.isfinite(newest)
    begin = _beginnings(newest[has_time], counts[has_time], settings)
    where = np.full(len(notes), TRAIN, np.int8)
    for side in (VALIDATION, TEST):
        if (start := begin[side]) is not None:
            where[newest >= start] = side
    where[united[standing & notes["replayed"]]] = TRAIN
    told = {
        f"{SPLITS[side]}_from": None if start is None else told_time(start) for side, start in begin.items()
    }
    figures = {
        "column": settings.time,
        **told,
        "newest": told_time(float(newest[has_time].max())),
        "undated": int(undated.sum()),
    }
    return Chronology(where=where, figures=figures)


def _beginnings(
    newest: "NDArray[np.float64]", counts: "NDArray[np.float64]", settings: SplitSettings
) -> dict[int, float | None]:
    """When test and validation begin: from the newest time back, as soon as their shares are filled.

    `newest` are the times of sets, and `counts` of how many rows each is.
    """
    import numpy as np

    times, numbers = np.unique(-newest, return_inverse=True)
    passed = np.bincount(numbers, weights=counts).cumsum()  # rows that are at least as new
    total, filled, at = float(passed[-1]), 0.0, 0
    begin: dict[int, float | None] = {TEST: None, VALIDATION: None}
    for side, share in ((TEST, settings.test), (VALIDATION, settings.validation)):
        if share > 0.0 and at < len(times):
            enough = np.flatnonzero(passed[at:] + _ROUNDED >= (filled + share) * total)
            last = at + int(enough[0]) if len(enough) else len(times) - 1
            begin[side] = -float(times[last])
            filled = passed[last] / total if total else 0.0
            at = last + 1
    return begin
