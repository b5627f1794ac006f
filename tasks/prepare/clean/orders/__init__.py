"""How texts give orders to a language model: the rules by name.

A rule wants what an order needs, not a sentence that was seen: who is told (the model, or nobody), what is to
be undone or given away (its instructions, the conversation), and that it is told to do so. They find what is
said openly; an order in words of its own passes, so they are one layer of several (docs/serving.md).
"""

from collections.abc import Mapping, Set

from tasks.prepare.clean.disguises import readings, visible
from tasks.prepare.clean.orders.address import ADDRESS, TOOLS
from tasks.prepare.clean.orders.leaking import EXFILTRATION, REVEAL
from tasks.prepare.clean.orders.override import OVERRIDE
from tasks.prepare.clean.orders.persona import PERSONA
from tasks.prepare.clean.orders.rule import Rule
from tasks.prepare.clean.orders.written import ROLE_MARKS, TOOL_MARKS, small
from tasks.prepare.clean_settings import OrderRule

SPOKEN: Mapping[OrderRule, tuple[Rule, ...]] = {
    "override": OVERRIDE,
    "reveal": REVEAL,
    "persona": PERSONA,
    "exfiltration": EXFILTRATION,
    "address": ADDRESS,
    "tool_call": TOOLS,
}
WRITTEN: Mapping[OrderRule, tuple[Rule, ...]] = {"role_token": ROLE_MARKS, "tool_call": TOOL_MARKS}
_FIRST = frozenset(cue for part in SPOKEN.values() for rule in part for cue in rule.cues[0])
# Each match of a spoken rule holds one of these: most texts hold none, and no rule is asked.
_ANY = tuple(sorted(cue for cue in _FIRST if not any(other in cue for other in _FIRST - {cue})))


def order(text: str, rules: Set[OrderRule]) -> OrderRule | None:
    """The first of `rules` that finds an order to a model in `text`."""
    text = visible(text)
    lowered = small(text)
    for name, written in WRITTEN.items():
        if name in rules and any(rule.finds(text, among=lowered) for rule in written):
            return name
    for reading in readings(text):
        if not any(map(reading.__contains__, _ANY)):
            continue
        for name, spoken in SPOKEN.items():
            if name in rules and any(rule.finds(reading) for rule in spoken):
                return name
    return None
