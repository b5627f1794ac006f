"""What a rule is: patterns, and the words without which none of them can be found."""

import re
from dataclasses import dataclass

_BAR = re.compile(r"(?<!<)\|")  # `<|` begins a role token


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern, and groups of words: each of its matches holds one of each group.

    A text that lacks them is not searched: most texts are read at the speed of looking for words.
    """

    cues: tuple[tuple[str, ...], ...]
    pattern: re.Pattern[str]

    def finds(self, text: str, *, among: str | None = None) -> bool:
        """Whether `text` holds such an order; its words are looked for in `among`, another form of it."""
        held = (text if among is None else among).__contains__
        for group in self.cues:
            if not any(map(held, group)):
                return False
        return self.pattern.search(text) is not None


def rule(*cues: str, patterns: tuple[str, ...], flags: int = 0) -> Rule:
    """The rule that any of `patterns` makes; words of a group stand between bars.

    The group that fewest texts hold stands first.
    """
    groups = tuple(tuple(_BAR.split(group)) for group in cues)
    return Rule(groups, re.compile("|".join(patterns), flags))
