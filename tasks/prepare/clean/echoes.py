"""Drops rows whose answer only says the question again."""

from tasks.prepare.clean.verdict import Reason
from tasks.prepare.clean_settings import CleanSettings
from tasks.prepare.signals.subject import asked_alone, taught
from tasks.rows.literal import words
from tasks.rows.records import Row

_FEWEST = 4  # words; `hello` may be answered by `Hello!`


def echo(row: Row, settings: CleanSettings) -> Reason | None:
    """A row whose answer has the words of its question and no other, once or several times."""
    del settings
    if (question := asked_alone(row)) is None:
        return None
    asked, said = words(question), words(taught(row))
    if len(asked) < _FEWEST or len(said) % len(asked) or not said:
        return None
    times = len(said) // len(asked)
    return Reason("echo", f"{times} times" if times > 1 else "") if said == asked * times else None
