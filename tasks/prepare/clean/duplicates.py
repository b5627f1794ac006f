"""Drops exact repetitions: the first row of its kind stays, and what pointed to another points to it."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from typing import TypeVar

from tasks.prepare.clean.verdict import Verdict, drop
from tasks.prepare.clean_settings import CleanSettings
from tasks.rows.held_out import own_name
from tasks.rows.identity import prompt_key
from tasks.rows.records import Document, Dropped, Example, Preference, Rows

RowT = TypeVar("RowT", Document, Example, Preference)
AskedT = TypeVar("AskedT", Example, Preference)


def drop_duplicates(rows: Rows, settings: CleanSettings) -> Verdict:
    """Rows without exact repetitions, and without a second row under an id that is taken.

    A test set of the user's own is no repetition of other rows: `split` takes those out, and leaves it whole.
    """
    del settings
    dropped: list[Dropped] = []
    documents, kept_as = _distinct(rows.documents, _document_key, dropped)

    def pointed(ids: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(kept_as.get(document, document) for document in ids))

    def pointing(row: AskedT) -> AskedT:
        evidence, withheld = pointed(row.evidence), pointed(row.withheld)
        same = (evidence, withheld) == (row.evidence, row.withheld)
        return row if same else replace(row, evidence=evidence, withheld=withheld)

    examples, _ = _distinct(
        map(pointing, rows.examples),
        lambda e: (own_name(e), prompt_key(e.prompt), e.answer, frozenset(e.withheld)),
        dropped,
    )
    preferences, _ = _distinct(
        map(pointing, rows.preferences),
        lambda p: (own_name(p), prompt_key(p.prompt), p.chosen, p.rejected, frozenset(p.withheld)),
        dropped,
    )
    return Verdict(
        rows=Rows(examples=tuple(examples), preferences=tuple(preferences), documents=tuple(documents)),
        dropped=tuple(dropped),
    )


def _document_key(document: Document) -> Hashable:
    return (" ".join(document.title.split()), " ".join(document.text.split()))


def _distinct(
    rows: Iterable[RowT], key: Callable[[RowT], Hashable], dropped: list[Dropped]
) -> tuple[list[RowT], dict[str, str]]:
    """The first row of each key, and for the id of every repetition the id of the row that stays."""
    first: dict[Hashable, RowT] = {}
    ids: set[str] = set()
    kept_as: dict[str, str] = {}
    for row in rows:
        name = key(row)
        earlier = first.get(name)
        if earlier is not None:
            kept_as.setdefault(row.id, earlier.id)
            dropped.append(drop(row, "duplicate", f"of {earlier.id}"))
        elif row.id in ids:
            dropped.append(drop(row, "duplicate_id", f"{row.id} is the id of another row"))
        else:
            first[name] = row
            ids.add(row.id)
    return list(first.values()), {old: new for old, new in kept_as.items() if old not in ids}
