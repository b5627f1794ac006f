"""Drops rows that carry an order to the model that reads them, or that would teach it to obey one."""

from collections.abc import Iterator

from deploy.messages import Message
from tasks.prepare.clean.orders import order
from tasks.prepare.clean.verdict import Reason
from tasks.prepare.clean_settings import CleanSettings, OrderRule
from tasks.rows.held_out import own_name
from tasks.rows.records import Document, Example, Preference, Row

# A system turn says who the model is and what it keeps to itself: that is what it is for.
_FOR_SYSTEM_TURNS = frozenset[OrderRule]({"override", "exfiltration", "role_token"})


def injection(row: Row, settings: CleanSettings) -> Reason | None:
    """A row with an order to a model in it, by the rule that found it.

    A document goes as a whole: whoever could write an order into it could write anything else. A test set of
    the user's own stays: it is never trained on, and may ask just this.
    """
    if not isinstance(row, Document) and own_name(row):
        return None
    for part, text in _parts(row):
        rules = frozenset(settings.injection.rules)
        if found := order(text, rules & _FOR_SYSTEM_TURNS if part == "system turn" else rules):
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
