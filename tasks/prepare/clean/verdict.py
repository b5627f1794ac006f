"""What a step of `clean` gives, and how one that looks at each row alone becomes a step."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from deploy.messages import last_question
from tasks.prepare.clean_settings import CleanSettings
from tasks.rows.records import Document, Dropped, Example, Preference, Row, Rows
from tasks.rows.tables import KIND_OF


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row is dropped, as it is counted; `detail` is for its own line and never holds its text."""

    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The rows that a step lets pass, those that it drops, and the repairs that it made.

    `counts` are what else it counted: figures of the report by their name.
    """

    rows: Rows
    dropped: tuple[Dropped, ...] = ()
    repaired: Counter[str] = field(default_factory=Counter)
    counts: Mapping[str, Counter[str]] = field(default_factory=dict)


Judge = Callable[[Row, CleanSettings], Reason | None]


@dataclass(frozen=True, slots=True)
class EachRow:
    """The step that drops each row that `judge` has something against."""

    judge: Judge

    def __call__(self, rows: Rows, settings: CleanSettings) -> Verdict:
        """The rows that stay, and those that go."""
        passed: list[Row] = []
        dropped: list[Dropped] = []
        for row in (row for part in rows.by_kind().values() for row in part):
            if reason := self.judge(row, settings):
                dropped.append(drop(row, reason.name, reason.detail))
            else:
                passed.append(row)
        return Verdict(rows=Rows.of(passed), dropped=tuple(dropped))


@dataclass(frozen=True, slots=True)
class EachText:
    """What `judge` has against a text of a row: the first of them that it names."""

    judge: Callable[[str, CleanSettings], Reason | None]

    def __call__(self, row: Row, settings: CleanSettings) -> Reason | None:
        """Why the row goes, if it does."""
        return next((found for text in texts(row) if (found := self.judge(text, settings))), None)


def each_text(judge: Callable[[str, CleanSettings], Reason | None]) -> EachRow:
    """The step that drops each row of which `judge` has something against one text."""
    return EachRow(EachText(judge))


def each_row(judge: Judge) -> EachRow:
    """The step that drops each row that `judge` has something against."""
    return EachRow(judge)


def texts(row: Row) -> Sequence[str]:
    """What a row says: the question and its answers, or the text of a document."""
    match row:
        case Example():
            return last_question(row.prompt), row.answer
        case Preference():
            return last_question(row.prompt), row.chosen, row.rejected
        case Document():
            return (row.text,)


def drop(row: Row, reason: str, detail: str = "") -> Dropped:
    """The record of a row that goes no further."""
    return Dropped(
        id=row.id, kind=KIND_OF[type(row)], source=row.source, stage="clean", reason=reason, detail=detail
    )
