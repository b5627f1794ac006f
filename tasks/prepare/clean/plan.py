"""In which order shards are passed over and decisions are made, so that each step sees what it would alone.

What waits for a kind of rows is done when its next notes are wanted, in one pass over each of its shards.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tasks.prepare.clean.parts import DOCUMENTS, KINDS, Part
from tasks.prepare.clean.verdict import Verdict
from tasks.prepare.clean_settings import CleanSettings
from tasks.rows.records import RowKind, Rows

Local = Callable[[Rows, CleanSettings], Verdict]  # looks at each row alone
RAW = -1  # the number of the pass that rows come from which no pass has changed


@dataclass(frozen=True, slots=True)
class InParts:
    """A step that needs all rows, by the parts that it has under the given settings."""

    parts: Callable[[CleanSettings], tuple[Part, ...]]


@dataclass(frozen=True, slots=True)
class Apply:
    """What is to be done with a shard once `part` is decided, by the number of the decision.

    `documents` is the number of the pass that the documents come from as they were then.
    """

    part: Part
    decision: int
    documents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What is done with each shard of a kind of rows, and then noted of it by a part.

    `source` is the number of the pass that the rows come from, and `before` of the decision before the part.
    A pass without a part is the last one of its kind.
    """

    number: int
    kind: RowKind
    source: int
    does: tuple[Local | Apply, ...]
    part: Part | None = None
    before: int | None = None

    @property
    def gives(self) -> int:
        """The number of the pass that the rows come from after this one."""
        return self.number if self.does or self.source == RAW else self.source


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide:
    """Where a part is decided: by the notes of the passes `noted`, over the rows that come from `tables`."""

    number: int
    part: Part
    noted: Mapping[RowKind, int]
    tables: Mapping[RowKind, int]
    before: int | None


def planned(steps: Sequence[Local | InParts], settings: CleanSettings) -> list[Pass | Decide]:
    """The passes and decisions of steps; the last three passes are one of each kind."""
    plan: list[Pass | Decide] = []
    waiting: dict[RowKind, list[Local | Apply]] = {kind: [] for kind in KINDS}
    sources = dict.fromkeys(KINDS, RAW)

    def passed(kind: RowKind, part: Part | None = None, before: int | None = None) -> int:
        over = Pass(
            number=len(plan),
            kind=kind,
            source=sources[kind],
            does=tuple(waiting[kind]),
            part=part,
            before=before,
        )
        plan.append(over)
        waiting[kind], sources[kind] = [], over.gives
        return over.number

    for step in steps:
        if not isinstance(step, InParts):
            for kind in KINDS:
                waiting[kind].append(step)
            continue
        before: int | None = None
        for part in step.parts(settings):
            noted = {kind: passed(kind, part, before) for kind in part.noted}
            number = len(plan)
            plan.append(Decide(number=number, part=part, noted=noted, tables={**sources}, before=before))
            before = number
            for kind in part.applied:
                waiting[kind].append(Apply(part, number, sources[DOCUMENTS[0]]))
    for kind in KINDS:
        passed(kind)
    return plan


def needed(later: Sequence[Pass | Decide]) -> set[tuple[RowKind, int]]:
    """The kinds and sources of the rows that are read by what is still to be done."""
    found: set[tuple[RowKind, int]] = set()
    for each in later:
        if isinstance(each, Decide):
            found |= set(each.tables.items())
        else:
            found.add((each.kind, each.source))
            found |= {(DOCUMENTS[0], one.documents) for one in each.does if isinstance(one, Apply)}
    return found
