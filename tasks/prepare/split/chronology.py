"""The split by time: the newest rows are the test, those before them validation, older ones are for training.

A group stands where its newest row does, so that no row of training is newer than the test begins. Rows of
the same time are never parted, so that a split may be larger than its share. Where new rows come the test
moves on, and rows of an older test are trained on: a test by time asks how a model fares with what comes
after it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.errors import SourceError
from tasks.prepare.settings import SplitSettings
from tasks.prepare.similar.rows import Asked
from tasks.prepare.split.assigning import groups_of
from tasks.prepare.split.ledger import SplitName
from tasks.prepare.split.times import read_time, told_time
from tasks.rows.records import GENERAL_TASK, Example, Rows

UNREADABLE = "unreadable_time"
_ROUNDED = 1e-6  # 0.3 of ten rows are three


@dataclass(frozen=True, slots=True, kw_only=True)
class Undatable:
    """A row whose time cannot be read: nobody knows whether it may be trained on."""

    row: Asked
    column: str
    reason: str = UNREADABLE

    def told(self) -> str:
        """The column, without what stands there."""
        return f"{self.column} is neither ISO 8601 nor seconds since 1970"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chronology:
    """The split of each group, and for the report where the splits begin and how many rows have no time."""

    where: Mapping[str, SplitName]
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


def undatable(rows: Sequence[Asked], settings: SplitSettings) -> list[Undatable]:
    """The rows that have a time which cannot be read; none where rows are not split by time."""
    if settings.by != "time" or settings.time is None:
        return []
    return [
        Undatable(row=row, column=settings.time)
        for row in rows
        if (told := _told(row, settings.time)) and read_time(told) is None
    ]


def chronology(rows: Rows, settings: SplitSettings) -> Chronology | None:
    """The split of every group by the time of its newest row; None where rows are not split by time.

    Groups without any time are for training, as are those of the task `general`. Shares are of the rows that
    have a time and may be trained on.

    Raises:
        SourceError: no row has a time.
    """
    if settings.by != "time" or settings.time is None:
        return None
    newest, counts = _dated(rows, settings.time)
    if not newest:
        raise SourceError(
            f"no row has a time in its column {settings.time!r}, which split.time names; give its source "
            f"`keep: [{settings.time}]` in params.yaml, or set split.by to hash"
        )
    begin = _beginnings(newest, counts, settings)
    replayed = {row.group for row in rows.examples if row.task == GENERAL_TASK}
    where: dict[str, SplitName] = {}
    for group in groups_of(rows):
        when = None if group in replayed else newest.get(group)
        where[group] = "train" if when is None else _at(when, begin)
    undated = sum(not _told(row, settings.time) for row in rows.asked)
    told = {f"{name}_from": None if start is None else told_time(start) for name, start in begin.items()}
    until = told_time(max(newest.values()))
    return Chronology(
        where=where, figures={"column": settings.time, **told, "newest": until, "undated": undated}
    )


def _told(row: Asked, column: str) -> str:
    return row.metadata.get(column, "").strip()


def _dated(rows: Rows, column: str) -> tuple[dict[str, float], Counter[str]]:
    """The newest time of each group that has one, and how many of its rows shares are counted by."""
    newest: dict[str, float] = {}
    counts = Counter[str]()
    for row in rows.asked:
        when = read_time(_told(row, column))
        if when is None or (isinstance(row, Example) and row.task == GENERAL_TASK):
            continue
        newest[row.group] = max(when, newest.get(row.group, when))
        counts[row.group] += not row.held_out
    return newest, counts


def _beginnings(
    newest: Mapping[str, float], counts: Mapping[str, int], settings: SplitSettings
) -> dict[SplitName, float | None]:
    """When test and validation begin: from the newest time back, as soon as their shares are filled."""
    at = Counter[float]()
    for group, when in newest.items():
        at[when] += counts[group]
    total, passed = at.total(), 0
    wanted: dict[SplitName, float] = {"test": settings.test, "validation": settings.validation}
    begin: dict[SplitName, float | None] = dict.fromkeys(wanted)
    open_splits = [name for name, share in wanted.items() if share > 0.0]
    filled = 0.0
    for when in sorted(at, reverse=True):
        if not open_splits:
            break
        passed += at[when]
        begin[open_splits[0]] = when
        if passed + _ROUNDED >= (filled + wanted[open_splits[0]]) * total:
            filled = passed / total if total else 0.0
            open_splits.pop(0)
    return begin


def _at(when: float, begin: Mapping[SplitName, float | None]) -> SplitName:
    names: tuple[SplitName, ...] = ("test", "validation")
    for name in names:
        start = begin[name]
        if start is not None and when >= start:
            return name
    return "train"
