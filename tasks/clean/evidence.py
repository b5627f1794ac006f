"""Drops questions whose evidence is not there: nothing could be found that answers them."""

from collections.abc import Collection

from tasks.clean.verdict import Verdict, drop
from tasks.records import Dropped, Example, Preference, Rows
from tasks.settings import CleanSettings


def drop_missing_evidence(rows: Rows, settings: CleanSettings) -> Verdict:
    """Rows whose evidence and withheld documents are all among the documents."""
    del settings
    documents = {document.id for document in rows.documents}
    dropped: list[Dropped] = []
    examples = [row for row in rows.examples if not _missing(row, documents, dropped)]
    preferences = [row for row in rows.preferences if not _missing(row, documents, dropped)]
    return Verdict(
        rows=Rows(examples=tuple(examples), preferences=tuple(preferences), documents=rows.documents),
        dropped=tuple(dropped),
    )


def _missing(row: Example | Preference, documents: Collection[str], dropped: list[Dropped]) -> bool:
    missing = [document for document in (*row.evidence, *row.withheld) if document not in documents]
    if missing:
        dropped.append(drop(row, "missing_evidence", f"no document has the id {missing[0]}"))
    return bool(missing)
