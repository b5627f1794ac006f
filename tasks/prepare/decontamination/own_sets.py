"""Which rows are not trained on because a test set of the user's own asks the same, or nearly the same."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tasks.prepare.decontamination.frequencies import Frequencies
from tasks.prepare.decontamination.nearness import matches
from tasks.prepare.similar.rows import Asked

SAME = "the same as a held-out question"
NEAR = "near to a held-out question"
GROUP = "of the group of a held-out question"
DOCUMENT = "of a document of a held-out question"
_REASONS = (SAME, NEAR, GROUP, DOCUMENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A row that is taken out, by its place, why, and the held-out row that it is like.

    `nearness` is 0.0 where only their group or a document is the same.
    """

    place: int
    reason: str
    held: Asked
    nearness: float

    def told(self) -> str:
        """The held-out row that it is like, without its text."""
        near = f", nearness {self.nearness:.2f}" if self.reason == NEAR else ""
        return f"{self.held.id} ({self.held.held_out}){near}"


def contaminated(
    trained: Sequence[Asked],
    own: Sequence[Asked],
    groups: Sequence[str],
    *,
    near: float,
    whole_documents: bool = False,
    among: Frequencies | None = None,
) -> list[Taken]:
    """Those of the rows `trained` that ask what one of `own` asks, or share a group with one.

    With `whole_documents` also those that name a document which one of `own` names.

    `groups` are those that the rows came with: uniting them may have given them another name. `among` has the
    frequencies of words where these rows are a part of all that are trained on.
    """
    like = matches([row.prompt for row in trained], [row.prompt for row in own], near=near, among=among)
    grouped = {row.group: row for row in reversed(own)}
    about = {name: row for row in reversed(own) for name in _named(row)} if whole_documents else {}
    taken: list[Taken] = []
    for place, row in enumerate(trained):
        if place in like:
            found = like[place]
            reason = SAME if found.same else NEAR
            taken.append(Taken(place=place, reason=reason, held=own[found.held], nearness=found.nearness))
        elif shared := grouped.get(groups[place]) or grouped.get(row.group):
            taken.append(Taken(place=place, reason=GROUP, held=shared, nearness=0.0))
        elif beside := [about[name] for name in _named(row) if name in about]:
            taken.append(Taken(place=place, reason=DOCUMENT, held=beside[0], nearness=0.0))
    return taken


def _named(row: Asked) -> tuple[str, ...]:
    return (*row.evidence, *row.withheld)


def taken_by_name(taken: Iterable[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """How many rows were taken out for each name that rows are held out under, by reason.

    `taken` has the name and the reason for each of them.
    """
    counts = Counter(taken)
    names = sorted({name for name, _ in counts})
    return {name: {reason: counts[name, reason] for reason in _REASONS} for name in names}
