"""What a step of `clean` decides."""

from collections import Counter
from dataclasses import dataclass, field

from tasks.records import Document, Dropped, Example, Preference, RowKind, Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The rows that a step lets pass, those that it drops, and the repairs that it made."""

    rows: Rows
    dropped: tuple[Dropped, ...] = ()
    repaired: Counter[str] = field(default_factory=Counter)


def drop(row: Document | Example | Preference, reason: str, detail: str = "") -> Dropped:
    """The record of a row that goes no further."""
    kinds: dict[type, RowKind] = {Document: "document", Example: "example", Preference: "preference"}
    return Dropped(
        id=row.id, kind=kinds[type(row)], source=row.source, stage="clean", reason=reason, detail=detail
    )
