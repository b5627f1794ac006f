"""Which rows cannot stand on any side, since they belong with rows of two.

Rows that were placed stay where they are. A new row inherits the side of what it belongs with: its prompt,
its bonds (its group, and documents where these hold rows together), rows that it is near to. Where these are
two sides it is a bridge and stands on neither, for one would leak into the other. Where rows that were placed
turn out to belong together (somebody has changed their groups), those of the less precious side step back:
the test stays as it is.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.prepare.split.ledger import Ledger
from tasks.prepare.split.sides import NOWHERE, SPLITS, TRAIN
from tasks.rows.records import GENERAL_TASK

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tasks.prepare.split.notes import Notes
    from tasks.prepare.split.ties import Ties

    Numbers = NDArray[np.int64]

BRIDGE = "leak_bridge"
_GROUP, _DOCUMENT, _TASK = "its group", "its document", f"the task {GENERAL_TASK}"


@dataclass(frozen=True, slots=True)
class Bridge:
    """Why a row stands nowhere: `words` with a {} for the id of each row of `near`, which are by number."""

    words: str
    near: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Inherited:
    """Which rows are bridges, by number, and of each row the side of its prompt.

    That is NOWHERE where the prompt belongs with none that was placed before.
    """

    bridges: Mapping[int, Bridge]
    sides: "NDArray[np.int8]"


def inherit(notes: "Notes", ties: "Ties", ledger: Ledger) -> Inherited:
    """What rows inherit from the ledger; of those left, rows that belong together stand on one side."""
    import numpy as np

    if not len(ledger):
        return Inherited({}, np.full(len(notes), NOWHERE, np.int8))
    spread = _Spread(notes, ties, ledger)
    bridges = spread.stepping_back()
    waiting = deque(spread.reached())
    while waiting:
        prompt = waiting.popleft()
        rows = spread.rows_of(prompt)
        if spread.prompts[prompt] != NOWHERE or rows[0] in bridges:
            continue
        touched = spread.touched(rows, bridges)
        if len(touched) > 1:
            bridges |= dict.fromkeys(rows, _joining(touched))
        elif touched:
            waiting += spread.place(prompt, *touched)
    return Inherited(bridges, spread.prompts[ties.prompts])


class _Spread:
    """The sides of prompts and bonds as they spread from what was placed to what belongs with it."""

    def __init__(self, notes: "Notes", ties: "Ties", ledger: Ledger) -> None:
        import numpy as np

        self._general = notes["general"]
        self._ties = ties
        self._rows_of_prompts = _Members(ties.prompts, len(ties.prompt_keys))
        # A place behind those of all rows is one of `named`.
        self._places_of_bonds = _Members(np.concatenate([ties.groups, ties.named[:, 1]]), len(ties.bond_keys))
        ends = ties.near[np.lexsort((ties.near[:, 1], ties.near[:, 0]))]
        both = np.concatenate([ends[:, ::-1], ends])  # of each row those before it, then those behind
        self._near_rows = both[:, 1]
        self._near = _Members(both[:, 0], len(notes))
        self._opened: set[int] = set()
        self.prompts = ledger.sides_of(ties.prompt_keys)
        self.bonds = ledger.sides_of(ties.bond_keys)
        # A new bond of old prompts is with the test.
        rows, bonds = ties.bonds().T
        inherited = np.full(len(self.bonds), NOWHERE, np.int8)
        np.maximum.at(inherited, bonds, self.prompts[ties.prompts[rows]])
        self.bonds = np.where(self.bonds == NOWHERE, inherited, self.bonds)

    def rows_of(self, prompt: int) -> list[int]:
        """The rows of a prompt."""
        return self._rows_of_prompts[prompt]

    def stepping_back(self) -> dict[int, Bridge]:
        """Of rows whose prompts were placed those that now belong with another side, too."""
        import numpy as np

        sides, bonds = self.prompts[self._ties.prompts], self._ties.bonds()
        apart = bonds[(sides[bonds[:, 0]] != NOWHERE) & (self.bonds[bonds[:, 1]] != sides[bonds[:, 0]])]
        back: dict[int, Bridge] = {}
        for row, bond in apart.tolist():
            words = f"stands in {SPLITS[sides[row]]}, and {self._told(bond)} in {SPLITS[self.bonds[bond]]}"
            back.setdefault(row, Bridge(words))
        general = (sides > TRAIN) & self._general
        general[apart[:, 0]] = False
        back |= {
            row: Bridge(
                f"stands in {SPLITS[sides[row]]}, and rows of the task {GENERAL_TASK} are for training"
            )
            for row in np.flatnonzero(general).tolist()
        }
        ends = sides[self._ties.near]
        crossing = (ends != NOWHERE).all(axis=1) & (ends[:, 0] != ends[:, 1])
        for pair in self._ties.near[crossing].tolist():
            if not any(row in back for row in pair):
                less, more = sorted(pair, key=lambda row: int(sides[row]))
                words = f"stands in {SPLITS[sides[less]]}, and is near {{}} in {SPLITS[sides[more]]}"
                back[less] = Bridge(words, (more,))
        return back

    def reached(self) -> list[int]:
        """The prompts that have no side, and belong with something that has, over whatever is between them.

        In the order of their rows. All others take no part.
        """
        import numpy as np

        sets = self._ties.sets_of_prompts()
        placed = np.zeros(int(sets.max(initial=-1)) + 1, bool)
        bonds = self._ties.bonds()
        placed[sets[self.prompts != NOWHERE]] = True
        placed[sets[self._ties.prompts[bonds[self.bonds[bonds[:, 1]] != NOWHERE, 0]]]] = True
        found = np.flatnonzero(placed[sets] & (self.prompts == NOWHERE))
        order = np.argsort([self.rows_of(prompt)[0] for prompt in found.tolist()])
        return found[order].tolist()

    def touched(self, rows: list[int], bridges: Mapping[int, Bridge]) -> dict[int, str | int]:
        """The sides of what the rows of a prompt belong with, each with how: words, or a row near by."""
        found: dict[int, str | int] = {}
        for row in rows:
            for bond in self._bonds_of(row):
                if (side := int(self.bonds[bond])) != NOWHERE:
                    found.setdefault(side, self._told(bond))
            for other in self._beside(row):
                if other not in bridges and (side := int(self.prompts[self._ties.prompts[other]])) != NOWHERE:
                    found.setdefault(side, other)
        if found and self._general[rows].any():
            found.setdefault(TRAIN, _TASK)
        return found

    def place(self, prompt: int, side: int) -> Iterator[int]:
        """Put a prompt and its bonds on a side; gives the prompts that now belong with something placed."""
        self.prompts[prompt] = side
        for row in self.rows_of(prompt):
            beside = self._beside(row)
            for bond in self._bonds_of(row):
                if self.bonds[bond] == NOWHERE:
                    self.bonds[bond] = side
                if bond not in self._opened:  # once: all of its prompts are then looked at
                    self._opened.add(bond)
                    beside += self._rows_of_bond(bond)
            yield from self._ties.prompts[beside].tolist()

    def _bonds_of(self, row: int) -> list[int]:
        import numpy as np

        start, end = np.searchsorted(self._ties.named[:, 0], [row, row + 1])
        return [int(self._ties.groups[row]), *self._ties.named[start:end, 1].tolist()]

    def _rows_of_bond(self, bond: int) -> list[int]:
        count = len(self._ties.groups)
        places = self._places_of_bonds[bond]
        return [place if place < count else int(self._ties.named[place - count, 0]) for place in places]

    def _told(self, bond: int) -> str:
        return _GROUP if bond < self._ties.count_groups else _DOCUMENT

    def _beside(self, row: int) -> list[int]:
        found: list[int] = self._near_rows[self._near[row]].tolist()
        return found


class _Members:
    """The numbers at which each of `count` values stands, ascending."""

    def __init__(self, values: "Numbers", count: int) -> None:
        import numpy as np

        self._order = np.argsort(values, kind="stable")
        self._ends = np.concatenate([[0], np.bincount(values, minlength=count).cumsum()])

    def __getitem__(self, value: int) -> list[int]:
        found: list[int] = self._order[self._ends[value] : self._ends[value + 1]].tolist()
        return found


def _joining(touched: Mapping[int, str | int]) -> Bridge:
    """A row that would join these sides."""
    told = sorted((SPLITS[side], how) for side, how in touched.items())
    words = " and ".join(f"{side} ({how if isinstance(how, str) else 'near {}'})" for side, how in told)
    return Bridge(f"would join {words}", tuple(how for _, how in told if isinstance(how, int)))
