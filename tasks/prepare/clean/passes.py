"""Passes over shards: what is done with one, and a whole plan in memory, with one shard of each kind."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from tasks.prepare.clean.parts import DOCUMENTS, SHARED, Decisions, Known, Notes, Seen, Shard
from tasks.prepare.clean.plan import RAW, Apply, Decide, InParts, Local, Pass, planned
from tasks.prepare.clean.tables import HeldTable, Table
from tasks.prepare.clean.verdict import Verdict
from tasks.prepare.clean_settings import CleanSettings
from tasks.prepare.similar.pairs import NearTexts
from tasks.rows.records import Dropped, RowKind, Rows


class Library(Protocol):
    """What passes read beside their shard: earlier decisions, rows as they were, and texts to compare."""

    def decisions(self, number: int) -> Decisions:
        """What was decided under a number of the plan."""
        ...

    def table(self, kind: RowKind, source: int) -> Table:
        """The rows of a kind that come from a pass."""
        ...

    def near(self, name: str) -> NearTexts:
        """Texts to compare, by a name."""
        ...


@dataclass(frozen=True, slots=True)
class Whole(InParts):
    """A step in parts that is a function of rows in memory as well, as other steps are."""

    def __call__(self, rows: Rows, settings: CleanSettings) -> Verdict:
        """What the step makes of rows that are in memory."""
        return in_memory(planned([self], settings), rows, settings)


Step = Local | Whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """What came of a shard: `dropped` has the rows that went for each thing that was done."""

    rows: Rows
    dropped: Sequence[Sequence[Dropped]]
    repaired: Counter[str]
    counts: Mapping[str, Counter[str]]
    notes: Notes


def worked(over: Pass, shard: Shard, library: Library, settings: CleanSettings) -> Worked:
    """What a pass makes of a shard."""
    dropped: list[Sequence[Dropped]] = []
    repaired: Counter[str] = Counter()
    counts: dict[str, Counter[str]] = {}
    for one in over.does:
        verdict = (
            _applied(one, shard, library, settings) if isinstance(one, Apply) else one(shard.rows, settings)
        )
        shard = Shard(kind=shard.kind, number=shard.number, rows=verdict.rows)
        dropped.append(verdict.dropped)
        repaired += verdict.repaired
        add_counts(counts, verdict.counts)
    notes: Notes = {}
    if over.part is not None:
        notes = over.part.note(shard, _known(over.before, shard, library), settings)
    return Worked(rows=shard.rows, dropped=dropped, repaired=repaired, counts=counts, notes=notes)


def add_counts(counts: dict[str, Counter[str]], more: Mapping[str, Mapping[str, int]]) -> None:
    """Add what else was counted to `counts`."""
    for name, some in more.items():
        counts.setdefault(name, Counter()).update(some)


def _applied(one: Apply, shard: Shard, library: Library, settings: CleanSettings) -> Verdict:
    assert one.part.apply is not None
    return one.part.apply(shard, _known(one.decision, shard, library, documents=one.documents), settings)


def _known(number: int | None, shard: Shard, library: Library, *, documents: int | None = None) -> Known:
    decisions = {} if number is None else library.decisions(number)
    return Known(
        shared=decisions.get(SHARED, {}),
        own=decisions.get(shard.name, {}),
        documents=None if documents is None else partial(library.table, DOCUMENTS[0], documents),
        near=library.near,
    )


def in_memory(
    plan: Sequence[Pass | Decide],
    rows: Rows,
    settings: CleanSettings,
    *,
    progress: Callable[[int], object] = lambda _: None,
) -> Verdict:
    """What comes of rows in memory by a plan; `progress` is told how much of it is done."""
    held = _Held(rows)
    notes: dict[int, Notes] = {}
    dropped: list[Dropped] = []
    repaired: Counter[str] = Counter()
    counts: dict[str, Counter[str]] = {}
    for done, each in enumerate(plan, start=1):
        if isinstance(each, Decide):
            tables = {kind: held.table(kind, source) for kind, source in each.tables.items()}
            seen = Seen(
                notes={kind: [notes[number]] for kind, number in each.noted.items()},
                tables=tables,
                before={} if each.before is None else held.decisions(each.before),
                near=held.near,
            )
            held.decide(each.number, each.part.decide(seen, settings))
        else:
            part = held.table(each.kind, each.source).shard(0)
            made = worked(each, Shard(kind=each.kind, number=0, rows=Rows.of(part)), held, settings)
            held.keep(each, made.rows)
            notes[each.number] = made.notes
            dropped += (row for some in made.dropped for row in some)
            repaired += made.repaired
            add_counts(counts, made.counts)
        progress(done)
    last = {each.kind: each.gives for each in plan if isinstance(each, Pass)}
    kept = (row for kind, source in last.items() for row in held.table(kind, source).shard(0))
    return Verdict(rows=Rows.of(kept), dropped=tuple(dropped), repaired=repaired, counts=counts)


class _Held:
    """The rows of all passes, the decisions and the texts to compare, in memory."""

    def __init__(self, rows: Rows) -> None:
        self._tables = {(kind, RAW): HeldTable(part) for kind, part in rows.by_kind().items()}
        self._decisions: dict[int, Decisions] = {}
        self._near: dict[str, NearTexts] = {}

    def keep(self, over: Pass, rows: Rows) -> None:
        self._tables[over.kind, over.gives] = HeldTable(rows.by_kind()[over.kind])

    def decide(self, number: int, decisions: Iterable[tuple[str, Notes]]) -> None:
        self._decisions[number] = dict(decisions)

    def decisions(self, number: int) -> Decisions:
        return self._decisions[number]

    def table(self, kind: RowKind, source: int) -> Table:
        return self._tables[kind, source]

    def near(self, name: str) -> NearTexts:
        return self._near.setdefault(name, NearTexts())
