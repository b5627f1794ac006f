"""What a step of `clean` gives, and how one that looks at each row alone becomes a step."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from deploy.messages import last_question
from tasks.prepare.clean_settings import CleanSettings
from tasks.rows.records import Document, Dropped, Example, Preference, Row, RowKind, Rows


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


Step = Callable[[Rows, CleanSettings], Verdict]


def each_text(judge: Callable[[str, CleanSettings], Reason | None]) -> Step:
    """The step that drops each row of which `judge` has something against one text."""
    return each_row(
        lambda row, settings: next((found for text in texts(row) if (found := judge(text, settings))), None)
    )


def each_row(judge: Callable[[Row, CleanSettings], Reason | None]) -> Step:
    """The step that drops each row that `judge` has something against."""

    def step(rows: Rows, settings: CleanSettings) -> Verdict:
        passed: list[Row] = []
        dropped: list[Dropped] = []
        for row in (row for part in rows.by_kind().values() for row in part):
            if reason := judge(row, settings):
                dropped.append(drop(row, reason.name, reason.detail))
            else:
                passed.append(row)
        return Verdict(rows=Rows.of(passed), dropped=tuple(dropped))

    return step


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
    kinds: dict[type, RowKind] = {Document: "document", Example: "example", Preference: "preference"}
    return Dropped(
        id=row.id, kind=kinds[type(row)], source=row.source, stage="clean", reason=reason, detail=detail
    )
