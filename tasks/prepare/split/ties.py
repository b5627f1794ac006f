"""What belongs together: rows of one prompt, of one group or document, or near to each other, as numbers."""

from typing import TYPE_CHECKING

from tasks.prepare.similar.sets import sets_of
from tasks.prepare.split.mentions import Mentions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tasks.prepare.split.notes import Notes
    from tasks.rows.hashes import Hashes

    Numbers = NDArray[np.int64]


class Ties:
    """The prompt and the group of each row by their numbers, and the pairs of rows that are near, ascending.

    Groups and documents are bonds: they have numbers together, first those of the groups. `named`
    [mentions, 2] has each row that names a document, ascending, with the bond that this is. `prompt_keys` and
    `bond_keys` are what prompts and bonds are found by in the ledger.
    """

    def __init__(self, notes: "Notes", near: "Numbers", mentions: Mentions) -> None:
        import numpy as np

        self.prompt_keys: Hashes
        self.prompts: Numbers
        self.groups: Numbers
        self.prompt_keys, self.prompts = np.unique(notes["prompt"], return_inverse=True)
        groups, self.groups = np.unique(notes["group"], return_inverse=True)
        documents, named = np.unique(mentions.documents, return_inverse=True)
        self.count_groups = len(groups)
        self.bond_keys: Hashes = np.concatenate([groups, documents])
        self.named: Numbers = np.stack([mentions.rows, self.count_groups + named], axis=1)
        self.near = near

    def bonds(self) -> "Numbers":
        """Each row with each of its bonds: all with their groups, in their order, then those of `named`."""
        import numpy as np

        own = np.stack([np.arange(len(self.groups)), self.groups], axis=1)
        return np.concatenate([own, self.named])

    def sets_of_groups(self, standing: "NDArray[np.bool_]") -> "Numbers":
        """For each group the number of its set: those of one prompt or document, or near rows, are of one.

        Only rows that are `standing` hold groups together.
        """
        import numpy as np

        rows = np.flatnonzero(standing)
        near = self.near[standing[self.near].all(axis=1)]
        named = self.named[standing[self.named[:, 0]]]
        ends = np.concatenate(
            [
                _with_first(self.groups[rows], self.prompts[rows]),
                _with_first(self.groups[named[:, 0]], named[:, 1]),
                self.groups[near],
            ]
        )
        return sets_of(ends[ends[:, 0] != ends[:, 1]], self.count_groups)

    def sets_of_prompts(self) -> "Numbers":
        """For each prompt the number of its set: those with a bond in common, or near rows, are of one."""
        import numpy as np

        count, bonds = len(self.prompt_keys), self.bonds()
        ends = np.concatenate(
            [
                np.stack([self.prompts[bonds[:, 0]], count + bonds[:, 1]], axis=1),
                self.prompts[self.near],
            ]
        )
        return sets_of(ends, count + len(self.bond_keys))[:count]


def _with_first(groups: "Numbers", keys: "Numbers") -> "Numbers":
    """Each group beside the first one that has the same key."""
    import numpy as np

    first = np.full(int(keys.max(initial=-1)) + 1, -1)
    first[keys[::-1]] = groups[::-1]
    return np.stack([groups, first[keys]], axis=1)
