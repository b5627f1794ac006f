"""Drops rows one by one: each filter looks at one text, or at one row, and says why it should go no further.

To add one, write a function as those below and name it in `TEXT_FILTERS` or `ROW_FILTERS`; what it has to be
told becomes a field of `CleanSettings` and a line of params.yaml. Counting and writing is done here.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from deploy.messages import last_question
from tasks.prepare.settings import CleanSettings
from tasks.rows.records import Document, Dropped, Example, Preference, Row, RowKind, Rows


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row is dropped, as it is counted; `detail` is for its own line and never holds its text."""

    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The rows that a step lets pass, those that it drops, and the repairs that it made."""

    rows: Rows
    dropped: tuple[Dropped, ...] = ()
    repaired: Counter[str] = field(default_factory=Counter)


def empty(text: str, settings: CleanSettings) -> Reason | None:
    """A text that says nothing."""
    del settings
    return None if text else Reason("empty")


def short(row: Row, settings: CleanSettings) -> Reason | None:
    """A question or an answer below `min_characters`; a number is an answer, however short."""
    lengths = [len(text) for text in texts(row) if not text.isnumeric()]
    shortest = min(lengths, default=settings.min_characters)
    if isinstance(row, Document) or shortest >= settings.min_characters:
        return None
    return Reason("short", f"{shortest} characters")


def long(row: Row, settings: CleanSettings) -> Reason | None:
    """A conversation above `max_characters`; a document may be long, it is cut into chunks."""
    match row:
        case Example():
            whole = sum(len(turn.content) for turn in row.messages)
        case Preference():
            whole = sum(len(turn.content) for turn in row.prompt) + max(len(row.chosen), len(row.rejected))
        case Document():
            return None
    return Reason("long", f"{whole} characters") if whole > settings.max_characters else None


def equal_answers(row: Row, settings: CleanSettings) -> Reason | None:
    """A preference that prefers nothing: its two answers differ in no more than blanks."""
    del settings
    equal = isinstance(row, Preference) and row.chosen.split() == row.rejected.split()
    return Reason("equal_answers") if equal else None


TEXT_FILTERS: tuple[Callable[[str, CleanSettings], Reason | None], ...] = (empty,)
ROW_FILTERS: tuple[Callable[[Row, CleanSettings], Reason | None], ...] = (short, long, equal_answers)


def texts(row: Row) -> Sequence[str]:
    """What a row says: the question and its answers, or the text of a document."""
    match row:
        case Example():
            return last_question(row.prompt), row.answer
        case Preference():
            return last_question(row.prompt), row.chosen, row.rejected
        case Document():
            return (row.text,)


def filter_rows(rows: Rows, settings: CleanSettings) -> Verdict:
    """The rows that no filter drops; the first that does gives the reason."""
    passed: list[Row] = []
    dropped: list[Dropped] = []
    for row in (row for part in rows.by_kind().values() for row in part):
        if reason := fault(row, settings):
            dropped.append(drop(row, reason.name, reason.detail))
        else:
            passed.append(row)
    return Verdict(rows=Rows.of(passed), dropped=tuple(dropped))


def fault(row: Row, settings: CleanSettings) -> Reason | None:
    """What the first filter has against a row."""
    by_text = (judge(text, settings) for judge in TEXT_FILTERS for text in texts(row))
    by_row = (judge(row, settings) for judge in ROW_FILTERS)
    return next((reason for found in (by_text, by_row) for reason in found if reason), None)


def drop(row: Row, reason: str, detail: str = "") -> Dropped:
    """The record of a row that goes no further."""
    kinds: dict[type, RowKind] = {Document: "document", Example: "example", Preference: "preference"}
    return Dropped(
        id=row.id, kind=kinds[type(row)], source=row.source, stage="clean", reason=reason, detail=detail
    )
