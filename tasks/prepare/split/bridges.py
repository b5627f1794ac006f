"""Which rows cannot stand on any side, since they belong with rows of two.

Rows that were placed stay where they are. A new row inherits the side of what it belongs with: its prompt,
its group, rows that it is near to. Where these are two sides it is a bridge and stands on neither, for one
would leak into the other. Where rows that were placed turn out to belong together (somebody has changed their
groups), those of the less precious side step back: the test stays as it is.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tasks.prepare.similar.pairs import Pair
from tasks.prepare.similar.rows import Asked
from tasks.prepare.split.ledger import SPLITS, Ledger, SplitName, keys_of
from tasks.rows.records import GENERAL_TASK

BRIDGE = "leak_bridge"


@dataclass(frozen=True, slots=True)
class Sides:
    """Which rows are bridges, by their places, with what each would join; and on which side each key stands.

    What belongs with no row that was placed before is in neither.
    """

    bridges: Mapping[int, str]
    placed: Mapping[str, SplitName]


def find_sides(rows: Sequence[Asked], near: Iterable[Pair], ledger: Ledger) -> Sides:
    """What `rows` inherit from the ledger; of those left, rows that belong together stand on one side."""
    ties = _Ties(rows, near)
    placed = ties.placed(ledger)
    bridges = ties.stepping_back(placed)
    waiting = deque(prompt for prompt in ties.prompts if prompt not in placed)
    while waiting:
        prompt = waiting.popleft()
        if prompt in placed or ties.prompts[prompt][0] in bridges:
            continue
        touched = ties.touched(prompt, placed, bridges)
        if len(touched) > 1:
            told = "would join " + " and ".join(f"{side} ({how})" for side, how in sorted(touched.items()))
            bridges |= dict.fromkeys(ties.prompts[prompt], told)
        elif touched:
            (side,) = touched
            waiting += ties.place(prompt, side, placed)
    return Sides(bridges, placed)


class _Ties:
    """What belongs together: rows of one prompt, of one group, or near to each other; all by their places."""

    def __init__(self, rows: Sequence[Asked], near: Iterable[Pair]) -> None:
        self._rows = rows
        self._keys = [keys_of(row) for row in rows]
        self.prompts: dict[str, list[int]] = defaultdict(list)
        self._groups: dict[str, list[int]] = defaultdict(list)
        self._pairs = [(pair.earlier, pair.later) for pair in near]
        self._near: dict[int, list[int]] = defaultdict(list)
        for place, (prompt, group) in enumerate(self._keys):
            self.prompts[prompt].append(place)
            self._groups[group].append(place)
        for one, other in self._pairs:
            self._near[one].append(other)
            self._near[other].append(one)

    def placed(self, ledger: Ledger) -> dict[str, SplitName]:
        """The side of each prompt and group by the ledger; a new group of old prompts is with the test."""
        found = {key: side for keys in self._keys for key in keys if (side := ledger.sides.get(key))}
        for group, places in self._groups.items():
            sides = [side for place in places if (side := found.get(self._keys[place][0]))]
            if sides and group not in found:
                found[group] = max(sides, key=SPLITS.index)
        return found

    def stepping_back(self, placed: Mapping[str, SplitName]) -> dict[int, str]:
        """Of rows whose prompts were placed those that now belong with another side, too."""
        back: dict[int, str] = {}
        sides = [placed.get(prompt) for prompt, _ in self._keys]
        for place, (side, (_, group)) in enumerate(zip(sides, self._keys, strict=True)):
            if side and placed[group] != side:
                back[place] = f"stands in {side}, and its group in {placed[group]}"
            elif side not in (None, "train") and self._rows[place].task == GENERAL_TASK:
                back[place] = f"stands in {side}, and rows of the task {GENERAL_TASK} are for training"
        for pair in self._pairs:
            standing = [(side, place) for place in pair if place not in back and (side := sides[place])]
            if len({side for side, _ in standing}) == 2:
                (less, place), (more, other) = sorted(standing, key=lambda found: SPLITS.index(found[0]))
                back[place] = f"stands in {less}, and is near {self._rows[other].id} in {more}"
        return back

    def touched(
        self, prompt: str, placed: Mapping[str, SplitName], bridges: Mapping[int, str]
    ) -> dict[SplitName, str]:
        """The sides of what a prompt belongs with, each with how."""
        found: dict[SplitName, str] = {}
        for place in self.prompts[prompt]:
            if side := placed.get(self._keys[place][1]):
                found.setdefault(side, "its group")
            for other in self._near[place]:
                if other not in bridges and (side := placed.get(self._keys[other][0])):
                    found.setdefault(side, f"near {self._rows[other].id}")
        if found and any(self._rows[place].task == GENERAL_TASK for place in self.prompts[prompt]):
            found.setdefault("train", f"the task {GENERAL_TASK}")
        return found

    def place(self, prompt: str, side: SplitName, placed: dict[str, SplitName]) -> Iterator[str]:
        """Put a prompt and its groups on a side; gives the prompts that now belong with something placed."""
        placed[prompt] = side
        for place in self.prompts[prompt]:
            group = self._keys[place][1]
            beside = list(self._near[place])
            if placed.setdefault(group, side) and group in self._groups:
                beside += self._groups.pop(group)  # once: all of its prompts are then looked at
            yield from (self._keys[other][0] for other in beside)
