"""Distribution drift: what is different from the rows that the gate let pass last, and how much it weighs.

A little in each run is never seen that way. So rows are compared with those that it let pass first, as well:
what has crept away from them is told, and stops nothing.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tasks.pages.numbers import fine_percent
from tasks.prepare.validate.expect import expect
from tasks.prepare.validate.features import SAID
from tasks.prepare.validate.profile import Profile, Spread, TableProfile
from tasks.prepare.validate.stability import chance, index
from tasks.prepare.validate_settings import DriftSettings, Severity
from tasks.rows.records import RowKind

if TYPE_CHECKING:
    import pandas as pd

LEAST = 50  # rows of a table, then and now, below which nothing is compared
NAMED = 3  # cells that have changed the most, of those whose names say something
BY_NAME = ("source", "task", "label", "answerable", "writing", "language")
FIRST = "Nothing to compare with: no run has passed the gate before this one."
OTHER_VERSION = "Nothing to compare with: another version of threeply described the rows accepted last."
KEY = "validate.drift"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One comparison: the `value` found and its bound, which is the least one where `falls` is True.

    `name` is that of its expectation. `detail` says in words what has changed the most, or why the bound is
    not the one of params.yaml.
    """

    name: str
    description: str
    value: float
    bound: float
    severity: Severity
    key: str
    detail: str = ""
    falls: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The shifts of each table. `told` says what the rows were compared with, or why with nothing.

    `fingerprint` stands for today's rows: it is what `validate.drift.accept` may name. `first` are the tables
    with which later runs are compared as the first ones; None: those of today.
    """

    told: str
    fingerprint: str = ""
    first: dict[RowKind, TableProfile] | None = None
    shifts: Mapping[RowKind, tuple[Shift, ...]] = field(default_factory=dict)


NOTHING = Comparison(told=FIRST)


def compare(accepted: Profile | None, now: Profile, settings: DriftSettings) -> Comparison:
    """What has changed in each table since `accepted`; a table with few rows is left out, and told."""
    if accepted is None:
        return Comparison(told=FIRST, fingerprint=now.fingerprint)
    told = ["Compared with the rows that the gate let pass last."]
    meant = now.fingerprint == settings.accept or accepted.made_with != now.made_with
    if now.fingerprint == settings.accept:
        told.append("`validate.drift.accept` names these rows: what differs is a warning.")
    elif meant:
        told.append("`collect` or `clean` had other settings then: what differs is a warning.")
    shifts: dict[RowKind, tuple[Shift, ...]] = {}
    for kind, today in now.tables.items():
        before = accepted.tables.get(kind)
        if before is None or before.rows < LEAST:
            if today.rows:
                told.append(f"There were too few {kind}s then to compare ({before.rows if before else 0}).")
            continue
        found = [_volume(kind, before, today, settings)]
        if today.rows < LEAST:
            told.append(f"There are too few {kind}s now to compare more than their number ({today.rows}).")
        elif shifted := list(_shifts(kind, before, today, settings)):
            found += shifted
            found += () if meant else _creeps((accepted.first or {}).get(kind), today, kind, settings)
        else:
            told.append(f"The {kind}s are of too few groups to tell change from chance.")
        shifts[kind] = tuple(_weighed(shift, meant) for shift in found)
    first = None if meant else _first(accepted, now)
    return Comparison(told=" ".join(told), fingerprint=now.fingerprint, first=first, shifts=shifts)


def _first(accepted: Profile, now: Profile) -> dict[RowKind, TableProfile]:
    """The tables that were accepted first; of a kind that had few rows then, those of today.

    What an earlier version of threeply did not describe then is described as of today.
    """
    tables = accepted.first or accepted.tables
    first: dict[RowKind, TableProfile] = {}
    for kind, today in now.tables.items():
        then = tables.get(kind, today)
        whole = replace(then, features={**today.features, **then.features})
        first[kind] = whole if then.rows >= LEAST else today
    return first


def _volume(kind: RowKind, before: TableProfile, today: TableProfile, settings: DriftSettings) -> Shift:
    return Shift(
        name="rows_drift",
        description=f"There are at least {fine_percent(settings.min_rows)} as many {kind}s as accepted last.",
        value=today.rows / before.rows,
        bound=settings.min_rows,
        severity="critical",
        key=f"{KEY}.min_rows",
        detail=f"{before.rows:,} then, {today.rows:,} now",
        falls=True,
    )


def _shifts(
    kind: RowKind, before: TableProfile, today: TableProfile, settings: DriftSettings
) -> Iterator[Shift]:
    for name, now in today.features.items():
        then = before.features.get(name)
        if then is None or math.isinf(likely := chance(then, now)):
            continue
        value = index(then, now)
        severity: Severity = "critical" if value > max(settings.critical, likely) else "warning"
        limit = settings.critical if severity == "critical" else settings.warning
        yield Shift(
            name=f"{name}_drift",
            description=SAID[name].format(table=kind, when="last"),
            value=value,
            bound=max(limit, likely),
            severity=severity,
            key=f"{KEY}.{severity}",
            detail=_detail(name, then, now, likely=likely, limit=limit),
        )


def _creeps(
    first: TableProfile | None, today: TableProfile, kind: RowKind, settings: DriftSettings
) -> Iterator[Shift]:
    """The same against the rows accepted first, where these are others than those accepted last."""
    if first is None or settings.creep is None:
        return
    for name, now in today.features.items():
        then = first.features.get(name)
        if then is None or math.isinf(likely := chance(then, now)):
            continue
        yield Shift(
            name=f"{name}_creep",
            description=SAID[name].format(table=kind, when="first"),
            value=index(then, now),
            bound=max(settings.creep, likely),
            severity="warning",
            key=f"{KEY}.creep",
            detail=_detail(name, then, now, likely=likely, limit=settings.creep),
        )


def _detail(name: str, then: Spread, now: Spread, *, likely: float, limit: float) -> str:
    details = [_changed(then, now)] if name in BY_NAME else []
    if likely > limit:
        details.append(f"chance alone makes up to {likely:.2g} of so few rows or groups")
    return "; ".join(filter(None, details))


def _weighed(shift: Shift, meant: bool) -> Shift:
    """The shift, which is told and stops nothing where it is meant."""
    return replace(shift, severity="warning") if meant else shift


def _changed(then: Spread, now: Spread) -> str:
    """The cells whose shares have changed the most, with both shares."""
    before, today = (
        {cell: count / (sum(spread.rows.values()) or 1.0) for cell, count in spread.rows.items()}
        for spread in (then, now)
    )
    by = {cell: today.get(cell, 0.0) - before.get(cell, 0.0) for cell in {*before, *today}}
    most = sorted((cell for cell in by if by[cell]), key=lambda cell: (-abs(by[cell]), cell))[:NAMED]
    shares = ((cell, before.get(cell, 0.0), today.get(cell, 0.0)) for cell in most)
    return ", ".join(f"{cell} {fine_percent(old)} then, {fine_percent(new)} now" for cell, old, new in shares)


def expectations(comparison: Comparison, kind: RowKind) -> list[Any]:
    """The suite of the shifts of a table: each is a column of one line, which `frame` makes."""
    meant = f'if the change is meant, set `validate.drift.accept: "{comparison.fingerprint}"` in params.yaml'
    made: list[Any] = []
    for shift in comparison.shifts.get(kind, ()):
        bound = {"min_value": shift.bound} if shift.falls else {"max_value": shift.bound}
        made.append(
            expect(
                "ColumnMaxToBeBetween",
                shift.name,
                shift.description,
                severity=shift.severity,
                key=shift.key,
                detail=shift.detail,
                remedy=meant,
                column=shift.name,
                **bound,
            )
        )
    return made


def frame(comparison: Comparison, kind: RowKind) -> "pd.DataFrame":
    """One line with the value of each shift of a table."""
    import pandas as pd

    return pd.DataFrame([{shift.name: shift.value for shift in comparison.shifts.get(kind, ())}])
