"""Filters that look at one text or at one row, and say why it should go no further, or None.

To add one, write a function as those below, in a file of its own where it takes more than a few lines. Its
name goes into the table of `tasks/prepare/clean/steps.py` and into `CleanStep`; what it has to be told is a
field of `CleanSettings` and a line of params.yaml. `each_text` and `each_row` count and write what it drops.
"""

from tasks.prepare.clean.verdict import Reason, texts
from tasks.prepare.clean_settings import CleanSettings
from tasks.rows.records import Document, Example, Preference, Row


def empty(text: str, settings: CleanSettings) -> Reason | None:
    """A text that says nothing."""
    del settings
    return None if text else Reason("empty")


def length(row: Row, settings: CleanSettings) -> Reason | None:
    """A row that is too short or too long."""
    return _short(row, settings) or _long(row, settings)


def equal_answers(row: Row, settings: CleanSettings) -> Reason | None:
    """A preference that prefers nothing: its two answers differ in no more than blanks."""
    del settings
    equal = isinstance(row, Preference) and row.chosen.split() == row.rejected.split()
    return Reason("equal_answers") if equal else None


def _short(row: Row, settings: CleanSettings) -> Reason | None:
    """A question or an answer below `min_characters`; a number is an answer, however short."""
    lengths = [len(text) for text in texts(row) if not text.isnumeric()]
    shortest = min(lengths, default=settings.min_characters)
    if isinstance(row, Document) or shortest >= settings.min_characters:
        return None
    return Reason("short", f"{shortest} characters")


def _long(row: Row, settings: CleanSettings) -> Reason | None:
    """A conversation above `max_characters`; a document may be long, it is cut into chunks."""
    match row:
        case Example():
            whole = sum(len(turn.content) for turn in row.messages)
        case Preference():
            whole = sum(len(turn.content) for turn in row.prompt) + max(len(row.chosen), len(row.rejected))
        case Document():
            return None
    return Reason("long", f"{whole} characters") if whole > settings.max_characters else None
