"""How texts give orders to a language model: the rules by name.

A rule wants what an order needs, not a sentence that was seen: who is told (the model, or nobody), what is to
be undone or given away (its instructions, the conversation), and that it is told to do so. They find what is
said openly; an order in words of its own passes, so they are one layer of several (docs/serving.md).
"""

import re
from collections.abc import Mapping, Set

from tasks.prepare.clean.disguises import readings, visible
from tasks.prepare.clean.orders.address import ADDRESS, TOOLS
from tasks.prepare.clean.orders.leaking import EXFILTRATION, REVEAL
from tasks.prepare.clean.orders.override import OVERRIDE
from tasks.prepare.clean.orders.persona import PERSONA
from tasks.prepare.clean.orders.rule import Rule
from tasks.prepare.clean.orders.written import ROLE_MARKS, TOOL_MARKS
from tasks.prepare.clean_settings import OrderRule

SPOKEN: Mapping[OrderRule, tuple[Rule, ...]] = {
    "override": OVERRIDE,
    "reveal": REVEAL,
    "persona": PERSONA,
    "exfiltration": EXFILTRATION,
    "address": ADDRESS,
    "tool_call": TOOLS,
}
WRITTEN: Mapping[OrderRule, re.Pattern[str]] = {"role_token": ROLE_MARKS, "tool_call": TOOL_MARKS}
_MARKS = ("<", "[", "#", ":", "`", "=")  # each match of a written rule holds one


def order(text: str, rules: Set[OrderRule]) -> OrderRule | None:
    """The first of `rules` that finds an order to a model in `text`."""
    text = visible(text)
    if any(mark in text for mark in _MARKS):
        for name, marks in WRITTEN.items():
            if name in rules and marks.search(text):
                return name
    for reading in readings(text):
        for name, spoken in SPOKEN.items():
            if name in rules and any(rule.finds(reading) for rule in spoken):
                return name
    return None
