"""Which spoken rules may find something in a text, told by its words: most texts hold the words of no rule.

Two hundred phrases are too many to look for in each text. So each word is asked once of which phrases it may
be, and the rules of those then read the text: no rule is left out that would find something.
"""

import re
from collections.abc import Callable, Mapping
from functools import reduce
from itertools import groupby
from operator import or_

from tasks.prepare.clean.orders.address import ADDRESS, TOOLS
from tasks.prepare.clean.orders.claims import FOR_EACH_ANSWER, RULES_ARE_OFF, TAKING
from tasks.prepare.clean.orders.leaking import EXFILTRATION, REVEAL
from tasks.prepare.clean.orders.override import OVERRIDE
from tasks.prepare.clean.orders.persona import PERSONA
from tasks.prepare.clean.orders.rule import Rule
from tasks.prepare.clean.orders.tongues import BEING, GIVING_AWAY, UNDOING
from tasks.prepare.clean_settings import OrderRule

SPOKEN: Mapping[OrderRule, tuple[Rule, ...]] = {
    "override": (*OVERRIDE, *RULES_ARE_OFF, *UNDOING),
    "reveal": (*REVEAL, *GIVING_AWAY),
    "persona": (*PERSONA, *BEING),
    "exfiltration": (*EXFILTRATION, *TAKING),
    "address": (*ADDRESS, *FOR_EACH_ANSWER),
    "tool_call": TOOLS,
}
Bits = Callable[[str], int]


def _longest(cue: str) -> str:
    """The longest word of a cue, with a blank on each side where the cue has one there."""
    first, *others = cue.split(" ")
    parts = [first, *(f" {word}" for word in others)]
    return max([*(f"{part} " for part in parts[:-1]), parts[-1]], key=len)


# The rules by a bit each: of which a word may be in the first group of cues, the one that fewest texts hold.
_RULES = tuple((name, rule, 1 << number) for number, (name, rule) in enumerate(
    (name, rule) for name, part in SPOKEN.items() for rule in part
))  # fmt: skip
_PARTS: dict[str, int] = {}
for _, _rule, _bit in _RULES:
    for _cue in _rule.cues[0]:
        _PARTS[_longest(_cue)] = _PARTS.get(_longest(_cue), 0) | _bit
# By their first letter: `re` tries the branches of an alternation one after the other.
_ANY = re.compile(
    "|".join(
        f"{re.escape(first)}(?:{'|'.join(re.escape(part[1:]) for part in parts)})"
        for first, parts in groupby(sorted(_PARTS), key=lambda part: part[0])
    )
)


def bits(word: str) -> int:
    """The rules that a word of a text may be of, a bit for each."""
    padded = f" {word} "
    if not _ANY.search(padded):
        return 0
    return reduce(or_, (bit for part, bit in _PARTS.items() if part in padded), 0)


def candidates(text: str, bits: Bits) -> list[tuple[OrderRule, Rule]]:
    """The rules of whose first cues a plain text may hold one, in their order."""
    held = reduce(or_, set(map(bits, text.split(" "))), 0)
    return [(name, rule) for name, rule, bit in _RULES if held & bit] if held else []
