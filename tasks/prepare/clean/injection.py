"""Drops rows that carry an order to the model that reads them, or that would teach it to obey one."""

from collections.abc import Callable, Iterator, Set
from functools import cache, partial

from deploy.messages import Message
from tasks.prepare.clean.orders import order
from tasks.prepare.clean.orders.gate import bits
from tasks.prepare.clean.verdict import Reason, Verdict, each_row
from tasks.prepare.clean_settings import CleanSettings, OrderRule
from tasks.prepare.remembered import Remembered
from tasks.rows.held_out import own_name
from tasks.rows.records import Document, Example, Preference, Row, Rows

# A system turn says who the model is and what it keeps to itself: that is what it is for.
_FOR_SYSTEM_TURNS = frozenset[OrderRule]({"override", "exfiltration", "role_token"})
Find = Callable[[str, Set[OrderRule]], OrderRule | None]


def drop_orders(rows: Rows, settings: CleanSettings) -> Verdict:
    """The rows without those that hold an order to a model."""
    # Questions and documents come in many rows, and words in many texts: each is read once.
    find = cache(partial(order, of_word=Remembered(bits).__getitem__))
    return each_row(partial(injection, find=find))(rows, settings)


def injection(row: Row, settings: CleanSettings, *, find: Find = order) -> Reason | None:
    """A row with an order to a model in it, by the rule that found it.

    A document goes as a whole: whoever could write an order into it could write anything else. A test set of
    the user's own stays: it is never trained on, and may ask just this.
    """
    if not isinstance(row, Document) and own_name(row):
        return None
    rules = frozenset(settings.injection.rules)
    for part, text in _parts(row):
        if found := find(text, rules & _FOR_SYSTEM_TURNS if part == "system turn" else rules):
            return Reason("injection", f"{found} in the {part}")
    return None


def _parts(row: Row) -> Iterator[tuple[str, str]]:
    """All that a row says, by who says it."""
    match row:
        case Example():
            yield from _turns(row.messages)
        case Preference():
            yield from _turns(row.prompt)
            yield from (("answer", row.chosen), ("answer", row.rejected))
        case Document():
            yield from (("title", row.title), ("text", row.text))


def _turns(messages: tuple[Message, ...]) -> Iterator[tuple[str, str]]:
    names = {"system": "system turn", "user": "question", "assistant": "answer"}
    return ((names[turn.role], turn.content) for turn in messages)
