"""Drops rows where somebody was going to write something: `TODO`, `n/a`, `...`, lorem ipsum, a form."""

import re

from tasks.prepare.clean.verdict import Reason
from tasks.prepare.clean_settings import CleanSettings
from tasks.prepare.signals.subject import asked_alone, taught
from tasks.rows.records import Row

# Signs that stand for nothing; in backticks, or alone, they are an answer, and others (`==`) mean something.
_SIGNS = re.compile(r"(?:[-._?\u2013\u2014]\s*){2,}|\u2026\s*")
_LOREM = re.compile(r"\W{0,9}lorem ipsum\b", re.IGNORECASE)
_FORM = re.compile(
    r"[\[<{(]{1,2}\s*(?:(?:your|insert|enter|add|the|an?|write|put)\s*)?[\w ]{0,30}?"
    r"(?:answer|text|response|reply|question|content|prompt|completion|description|placeholder|todo|here)"
    r"\s*(?:(?:here|goes here)\s*)?[\]>})]{1,2}",
    re.IGNORECASE,
)
_AROUND = " \t\n.!:;-_*#[](){}<>\"'"


def placeholder(row: Row, settings: CleanSettings) -> Reason | None:
    """A row whose answer, text or only question stands for one that was never written.

    In a conversation of several questions `ok` may be one of them.
    """
    question, answer = asked_alone(row), taught(row)
    if question is not None and _stands_for_another(question, settings.placeholders):
        return Reason("placeholder", "the question")
    if _stands_for_another(answer, settings.placeholders):
        return Reason("placeholder", "the answer" if question is not None else "the text")
    if _LOREM.match(answer) and "lorem" not in (question or "").lower():
        return Reason("placeholder", "lorem ipsum")
    return None


def _stands_for_another(text: str, known: list[str]) -> bool:
    if _SIGNS.fullmatch(text) or _FORM.fullmatch(text.strip()):
        return True
    return len(text) <= 64 and text.strip(_AROUND).casefold() in known
