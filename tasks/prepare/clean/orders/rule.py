"""What a rule is: patterns, and the words without which none of them can be found."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern, and groups of words: each of its matches holds one of each group.

    A text that lacks them is not searched: most texts are read at the speed of looking for words.
    """

    cues: tuple[tuple[str, ...], ...]
    pattern: re.Pattern[str]

    def finds(self, text: str) -> bool:
        """Whether `text`, as `disguises.plain` leaves it, holds such an order."""
        return (
            all(any(cue in text for cue in group) for group in self.cues)
            and self.pattern.search(text) is not None
        )


def rule(*cues: str, patterns: tuple[str, ...]) -> Rule:
    """The rule that any of `patterns` makes; words of a group stand between bars."""
    return Rule(tuple(tuple(group.split("|")) for group in cues), re.compile("|".join(patterns)))
