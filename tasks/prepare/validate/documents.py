"""What documents are expected to be."""

from typing import TYPE_CHECKING, Any

from deploy.files import text_sha256
from tasks.prepare.settings import ValidateSettings
from tasks.prepare.validate.expect import identified, true
from tasks.rows.records import Rows

if TYPE_CHECKING:
    import pandas as pd


def frame(rows: Rows) -> "pd.DataFrame":
    """One line a document: its id and what is judged, but none of its text."""
    import pandas as pd

    kinds = {
        "id": "str",
        "named": "bool",
        "located": "bool",
        "titled": "bool",
        "filled": "bool",
        "sum": "bool",
    }
    lines = [
        (
            row.id,
            bool(row.id.strip()),
            bool(row.uri.strip()),
            bool(row.title.strip()),
            bool(row.text.strip()),
            text_sha256(row.text) == row.sha256,
        )
        for row in rows.documents
    ]
    return pd.DataFrame(lines, columns=list(kinds)).astype(kinds)


def expectations(settings: ValidateSettings) -> list[Any]:
    """The suite of documents."""
    return [
        *identified("document", least=settings.min_documents),
        true("located", "Each document says where it comes from."),
        true("titled", "Each document has a title, which stands before each of its chunks."),
        true("filled", "No document is empty."),
        true("sum", "The checksum is that of the text."),
    ]
