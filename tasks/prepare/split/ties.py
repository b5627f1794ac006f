"""What belongs together: rows of one prompt, of one group, or near to each other; all by their numbers."""

from typing import TYPE_CHECKING

from tasks.prepare.similar.sets import sets_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tasks.prepare.split.notes import Notes
    from tasks.rows.hashes import Hashes

    Numbers = NDArray[np.int64]


class Ties:
    """The prompt and the group of each row by their numbers, and the pairs of rows that are near, ascending.

    `prompt_keys` and `group_keys` are what prompts and groups are found by in the ledger.
    """

    def __init__(self, notes: "Notes", near: "Numbers") -> None:
        import numpy as np

        self.prompt_keys: Hashes
        self.group_keys: Hashes
        self.prompts: Numbers
        self.groups: Numbers
        self.prompt_keys, self.prompts = np.unique(notes["prompt"], return_inverse=True)
        self.group_keys, self.groups = np.unique(notes["group"], return_inverse=True)
        self.near = near

    @property
    def count_groups(self) -> int:
        """How many groups there are."""
        return len(self.group_keys)

    def sets_of_groups(self, standing: "NDArray[np.bool_]") -> "Numbers":
        """For each group the number of its set: groups of one prompt, or with near rows, are of one.

        Only rows that are `standing` hold groups together.
        """
        import numpy as np

        rows = np.flatnonzero(standing)
        first = np.full(len(self.prompt_keys), -1)  # a group of each prompt
        first[self.prompts[rows[::-1]]] = self.groups[rows[::-1]]
        near = self.near[standing[self.near].all(axis=1)]
        ends = np.concatenate(
            [
                np.stack([self.groups[rows], first[self.prompts[rows]]], axis=1),
                self.groups[near],
            ]
        )
        return sets_of(ends[ends[:, 0] != ends[:, 1]], self.count_groups)

    def sets_of_prompts(self) -> "Numbers":
        """For each prompt the number of its set: those of one group, or with near rows, are of one."""
        import numpy as np

        count = len(self.prompt_keys)
        ends = np.concatenate(
            [
                np.stack([self.prompts, count + self.groups], axis=1),
                self.prompts[self.near],
            ]
        )
        return sets_of(ends, count + self.count_groups)[:count]
