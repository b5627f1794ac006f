"""Drops questions whose evidence is not there: nothing could be found that answers them."""

from tasks.prepare.clean.verdict import Verdict, drop
from tasks.prepare.clean_settings import CleanSettings
from tasks.rows.records import Dropped, Example, Preference, Rows


def drop_missing_evidence(rows: Rows, settings: CleanSettings) -> Verdict:
    """Rows whose evidence and withheld documents are all among the documents."""
    del settings
    documents = {document.id for document in rows.documents}
    dropped: list[Dropped] = []

    def there(row: Example | Preference) -> bool:
        missing = [name for name in (*row.evidence, *row.withheld) if name not in documents]
        if missing:
            dropped.append(drop(row, "missing_evidence", f"no document has the id {missing[0]}"))
        return not missing

    kept = Rows.of((*filter(there, rows.asked), *rows.documents))
    return Verdict(rows=kept, dropped=tuple(dropped))
