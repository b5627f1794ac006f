"""How texts give orders to a language model: the rules by name.

A rule wants what an order needs, not a sentence that was seen: who is told (the model, or nobody), what is to
be undone or given away (its instructions, the conversation), and that it is told to do so. They find what is
said openly; an order in words of its own passes, so they are one layer of several (docs/serving.md).
"""

from collections.abc import Mapping, Set

from tasks.prepare.clean.disguises import readings, visible
from tasks.prepare.clean.orders.gate import Bits, bits, candidates
from tasks.prepare.clean.orders.rule import Rule
from tasks.prepare.clean.orders.written import ROLE_MARKS, TOOL_MARKS, small
from tasks.prepare.clean_settings import OrderRule

WRITTEN: Mapping[OrderRule, tuple[Rule, ...]] = {"role_token": ROLE_MARKS, "tool_call": TOOL_MARKS}
_MARKS = ("<", "[", "#", ":", "`", "=")  # each match of a written rule holds one


def order(text: str, rules: Set[OrderRule], *, of_word: Bits = bits) -> OrderRule | None:
    """The first of `rules` that finds an order to a model in `text`.

    `of_word` is `gate.bits`, or remembers what that says.
    """
    text = visible(text)
    if any(mark in text for mark in _MARKS):
        lowered = small(text)
        for name, written in WRITTEN.items():
            if name in rules and any(rule.finds(text, among=lowered) for rule in written):
                return name
    for reading in readings(text):
        for name, rule in candidates(reading, of_word):
            if name in rules and rule.finds(reading):
                return name
    return None
