"""Which spoken rules may find something in a text, told by its words: most texts hold the words of no rule.

Hundreds of phrases are too many to look for in each text. So each word is asked once of which phrases it may
be, and the rules of those then read the text: no rule is left out that would find something.
"""

from collections.abc import Callable, Mapping
from functools import reduce
from operator import add, or_

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


def _numbered() -> tuple[list[tuple[OrderRule, Rule, int]], dict[str, int]]:
    """The rules with a bit for each group of their cues, and words of the cues with the bits of theirs."""
    rules: list[tuple[OrderRule, Rule, int]] = []
    words: dict[str, int] = {}
    bit = 1
    for name, rule in ((name, rule) for name, part in SPOKEN.items() for rule in part):
        first = bit
        for group in rule.cues:
            for word in map(_longest, group):
                words[word] = words.get(word, 0) | bit
            bit <<= 1
        rules.append((name, rule, bit - first))  # all bits from the first one on
    return rules, words


def _by_start(words: Mapping[str, int]) -> Mapping[str, list[tuple[str, int]]]:
    """The words of cues with their bits, by the two characters that they begin with."""
    found: dict[str, list[tuple[str, int]]] = {}
    for word, bits in words.items():
        found.setdefault(word[:2], []).append((word, bits))
    return found


_RULES, _WORDS = _numbered()
_STARTS = _by_start(_WORDS)


def bits(word: str) -> int:
    """The groups of cues that a word of a text may be of, a bit for each."""
    padded, found = f" {word} ", 0
    for at, start in enumerate(map(add, padded, padded[1:])):
        for cue, bits_ in _STARTS.get(start, ()):
            if padded.startswith(cue, at):
                found |= bits_
    return found


def candidates(text: str, bits: Bits) -> list[tuple[OrderRule, Rule]]:
    """The rules of which a plain text may hold a cue of each group, in their order."""
    held = reduce(or_, set(map(bits, text.split(" "))), 0)
    return [(name, rule) for name, rule, needed in _RULES if held & needed == needed] if held else []
