"""What became of one row: each stage that had it, what the stage did and why, and its text."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from tasks.machine.executors import InProcess
from tasks.prepare.clean.steps import STEPS
from tasks.prepare.clean_settings import CleanSettings, CleanStep
from tasks.prepare.collect.corrections import LEFT_OUT
from tasks.prepare.tracing.counterparts import counterparts, relation, stands_for
from tasks.prepare.tracing.lines import line_of
from tasks.prepare.tracing.stored import CLEAN, DATA, RAW, Stored, rows_called
from tasks.prepare.tracing.taught import learned_from
from tasks.prepare.validate.frames import frames
from tasks.prepare.validate.tables import InFolder
from tasks.rows.identity import hidden
from tasks.rows.records import Dropped, Row, RowKind, Rows
from tasks.rows.tables import KINDS


@dataclass(frozen=True, slots=True)
class Event:
    """What a stage did with a row, and why, as the stage has written it."""

    stage: str
    outcome: str
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A text of the row: as it was `collected`, as it was `repaired`, and `redacted`."""

    state: str
    row: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterpart:
    """A row that stands in its place or speaks against it: how, and what became of that one."""

    relation: str
    id: str
    fate: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """The way of the rows that share a kind and an id; these are several where an id was given twice.

    `judged` is what validate has looked at, by column, where it held the row back. A row that could not be
    read has no versions: `lines` are what its source has there. `stands_for` are the ids of its copies that
    went.
    """

    kind: RowKind
    id: str
    source: str
    events: tuple[Event, ...]
    versions: tuple[Version, ...]
    counterparts: tuple[Counterpart, ...] = ()
    stands_for: tuple[str, ...] = ()
    judged: Mapping[str, object] | None = None
    lines: tuple[str, ...] = ()


def trails(root: Path, stored: Stored, name: str, settings: CleanSettings) -> list[Trail]:
    """The way of each row called `name` in the project at `root`, one for each kind that has the id.

    A row may be called otherwise from `clean` on, where its id told of a person: it is found by both names.
    """
    data = root / DATA
    ids = {(kind, each) for kind, each in stored.ids() if name in (each, hidden(each))}
    told = next((each for _, each in sorted(ids) if hidden(each) == name), name)
    later = hidden(told)  # what it is called from `clean` on, if its id told of somebody
    kinds = [kind for kind in KINDS if (kind, told) in ids]
    raw = rows_called(data / RAW, told)
    clean = Rows.of(row for each in (told, later) for row in rows_called(data / CLEAN, each).all())
    return [_trail(root, stored, kind, (told, later), (raw, clean), settings) for kind in kinds]


def _trail(
    root: Path,
    stored: Stored,
    kind: RowKind,
    names: tuple[str, str],
    found: tuple[Rows, Rows],
    settings: CleanSettings,
) -> Trail:
    raw, clean = (rows.by_kind()[kind] for rows in found)
    lost = [row for row in stored.lost_rows() if row.kind == kind and row.id in names]
    versions: list[Version] = []
    events: list[Event] = []
    for row in raw:
        versions.append(Version(state="collected", row=row))
        events.append(Event("collect", "read"))
        left = Rows.of([row])
        for step, state in _CHANGING.items():
            if step not in settings.steps or stored.clean is None:
                continue
            verdict = STEPS[step](left, settings)
            left = verdict.rows
            if changes := verdict.repaired or verdict.counts.get("personal"):
                events.append(Event("clean", state, ", ".join(sorted(changes))))
                versions.append(Version(state=state, row=left.by_kind()[kind][0]))
    events += [Event(row.stage, _outcome(row), row.reason, row.detail) for row in lost]
    events += [Event("split", f"is in {split}") for split in _splits(stored, kind, names)]
    events += _taught(stored, kind, names)
    held = any(row.stage == "validate" for row in lost)
    if kind == "document" and clean and not held and "validate" in stored.lost:
        events.append(Event("validate", "passed: it is searched"))
    return Trail(
        kind=kind,
        id=names[0],
        source=next(row.source for row in (*raw, *lost)),
        events=tuple(events),
        versions=tuple(versions),
        counterparts=_counterparts(root / DATA, stored, lost),
        stands_for=stands_for(names, (row for row in stored.lost_rows() if row.kind == kind)),
        judged=_judged(root / DATA, kind, clean[0].id) if held and clean else None,
        lines=tuple(line_of(root, row) for row in lost if row.stage == "collect"),
    )


# The steps of `clean` that change a row, in their order, and what it is then.
_CHANGING: Mapping[CleanStep, str] = {"repairs": "repaired", "personal": "redacted"}
_OUTCOMES = {
    "collect": "could not read it",
    "clean": "dropped it",
    "validate": "held it back",
    "split": "left it out",
}


def _outcome(lost: Dropped) -> str:
    return "left it out" if lost.reason == LEFT_OUT else _OUTCOMES[lost.stage]


def fate(stored: Stored, kind: RowKind, name: str) -> str:
    """Where a row has ended, in words."""
    if splits := _splits(stored, kind, (name,)):
        return f"in {splits[0]}"
    for row in stored.lost_rows():
        if (row.kind, row.id) == (kind, name):
            return f"went no further itself: {row.stage}, {row.reason}"
    return "searched" if kind == "document" else "not split yet"


def _splits(stored: Stored, kind: RowKind, names: Collection[str]) -> list[str]:
    return [
        split
        for split, rows in (stored.splits or {}).items()
        if any(row.kind == kind and row.id in names for row in rows)
    ]


def _taught(stored: Stored, kind: RowKind, names: Collection[str]) -> Iterator[Event]:
    """What each stage of training took from the row; nothing where it was not given it, or has not run."""
    for stage, learned in stored.learned.items():
        lines = [line for line in learned if line.kind == kind and line.id in names]
        if told := learned_from(lines):
            yield Event(stage, "learned from it", "; ".join(told))
        elif lines:
            yield Event(stage, "did not learn from it", lines[0].reason)


def _counterparts(data: Path, stored: Stored, lost: Sequence[Dropped]) -> tuple[Counterpart, ...]:
    found: list[Counterpart] = []
    for row in lost:
        known = {each.id for each in (*(stored.raw or ()), *(stored.clean or ())) if each.kind == row.kind}
        for name in counterparts(row, known):
            rows = rows_called(data / (CLEAN if stored.clean is not None else RAW), name)
            found.append(
                Counterpart(
                    relation=relation(row),
                    id=name,
                    fate=fate(stored, row.kind, name),
                    rows=rows.by_kind()[row.kind],
                )
            )
    return tuple(found)


def _judged(data: Path, kind: RowKind, name: str) -> dict[str, object]:
    """What validate looks at of the row `name`, beside all others: a value for each column of its suite."""
    tables = InFolder(data / CLEAN)
    ids = chain.from_iterable(table["id"].to_pylist() for table in tables.arrow(kind, ["id"]))
    place = next(place for place, each in enumerate(ids) if each == name)
    columns = frames(tables, InProcess())[kind].drop(columns="id").iloc[[place]]
    (row,) = columns.to_dict("records")
    return {str(column): value for column, value in row.items()}
