"""Which rows are not trained on because a test set of the user's own asks the same, or nearly the same."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tasks.prepare.decontamination.nearness import matches
from tasks.prepare.similar.rows import Asked
from tasks.rows.records import Example, RowKind

RowKey = tuple[RowKind, str]
SAME = "the same as a held-out question"
NEAR = "near to a held-out question"
GROUP = "of the group of a held-out question"


class LeftOut(Protocol):
    """A row that stands in no split, and why."""

    @property
    def row(self) -> Asked:
        """The row."""
        ...

    @property
    def reason(self) -> str:
        """The reason that rows are counted by."""
        ...

    def told(self) -> str:
        """What more there is to say of it, without any text of a row."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A row that is taken out, why, and the held-out row that it is like; `nearness` is 0.0 for its group."""

    row: Asked
    reason: str
    held: Asked
    nearness: float

    def told(self) -> str:
        """The held-out row that it is like, without its text."""
        near = f", nearness {self.nearness:.2f}" if self.reason == NEAR else ""
        return f"{self.held.id} ({self.held.held_out}){near}"


def contaminated(
    trained: Sequence[Asked], own: Sequence[Asked], groups: Mapping[RowKey, str], *, near: float
) -> list[Taken]:
    """Those of the rows `trained` that ask what one of `own` asks, or share a group with one.

    `groups` are those that the rows came with: uniting them may have given them another name.
    """
    like = matches([row.prompt for row in trained], [row.prompt for row in own], near=near)
    grouped = {row.group: row for row in reversed(own)}
    taken: list[Taken] = []
    for place, row in enumerate(trained):
        if place in like:
            found = like[place]
            reason = SAME if found.same else NEAR
            taken.append(Taken(row=row, reason=reason, held=own[found.held], nearness=found.nearness))
        elif shared := grouped.get(groups[row_key(row)]) or grouped.get(row.group):
            taken.append(Taken(row=row, reason=GROUP, held=shared, nearness=0.0))
    return taken


def without(rows: Iterable[Asked], left_out: Iterable[LeftOut]) -> list[Asked]:
    """The rows that are not left out, in their order."""
    gone = {row_key(each.row) for each in left_out}
    return [row for row in rows if row_key(row) not in gone]


def row_key(row: Asked) -> RowKey:
    """What tells a row from all others."""
    return ("example" if isinstance(row, Example) else "preference"), row.id


def taken_by_name(taken: Iterable[Taken]) -> dict[str, dict[str, int]]:
    """How many rows were taken out for each name that rows are held out under, by reason."""
    counts = Counter((each.held.held_out, each.reason) for each in taken)
    names = sorted({name for name, _ in counts})
    return {name: {reason: counts[name, reason] for reason in (SAME, NEAR, GROUP)} for name in names}
