"""Drops what says nothing and what is longer than anyone reads."""

from deploy.messages import last_question
from tasks.clean.verdict import Verdict, drop
from tasks.records import Dropped, Example, Preference, Rows
from tasks.settings import CleanSettings


def drop_by_length(rows: Rows, settings: CleanSettings) -> Verdict:
    """Rows with text in them; questions and answers also of the length that `settings` allows.

    A document may be long (it is cut into chunks), but not empty.
    """
    dropped: list[Dropped] = []
    examples: list[Example] = []
    preferences: list[Preference] = []
    for example in rows.examples:
        whole = sum(len(message.content) for message in example.messages)
        if fault := _fault((last_question(example.prompt), example.answer), whole, settings):
            dropped.append(drop(example, *fault))
        else:
            examples.append(example)
    for pair in rows.preferences:
        whole = sum(len(message.content) for message in pair.prompt)
        whole += max(len(pair.chosen), len(pair.rejected))
        if fault := _fault((last_question(pair.prompt), pair.chosen, pair.rejected), whole, settings):
            dropped.append(drop(pair, *fault))
        else:
            preferences.append(pair)
    dropped += [drop(document, "empty") for document in rows.documents if not document.text]
    return Verdict(
        rows=Rows(
            examples=tuple(examples),
            preferences=tuple(preferences),
            documents=tuple(document for document in rows.documents if document.text),
        ),
        dropped=tuple(dropped),
    )


def _fault(texts: tuple[str, ...], whole: int, settings: CleanSettings) -> tuple[str, str] | None:
    """Reason and detail if one of `texts` is too short or the conversation of `whole` characters too long."""
    if not all(texts):
        return "empty", ""
    # A number is an answer, however short.
    shortest = min((len(text) for text in texts if not text.isnumeric()), default=settings.min_characters)
    if shortest < settings.min_characters:
        return "short", f"{shortest} characters"
    if whole > settings.max_characters:
        return "long", f"{whole} characters"
    return None
