"""The sides that a row may stand on."""

from typing import Literal, get_args

SplitName = Literal["train", "validation", "test"]
SPLITS: tuple[SplitName, ...] = get_args(SplitName)  # the later, the more precious
# In arrays a side is its number in SPLITS.
TRAIN, VALIDATION, TEST = range(len(SPLITS))
NOWHERE = -1
