"""What documents are expected to be."""

from typing import Any

from deploy.files import text_sha256
from tasks.prepare.validate.expect import Columns, identified, true
from tasks.prepare.validate_settings import ValidateSettings

COLUMNS: Columns = {
    "id": None,
    "id_apart": None,
    "named": ("bool", lambda row: bool(row.id.strip())),
    "located": ("bool", lambda row: bool(row.uri.strip())),
    "titled": ("bool", lambda row: bool(row.title.strip())),
    "filled": ("bool", lambda row: bool(row.text.strip())),
    "sum": ("bool", lambda row: text_sha256(row.text) == row.sha256),
}


def expectations(settings: ValidateSettings) -> list[Any]:
    """The suite of documents."""
    return [
        *identified("document", least=settings.min_documents),
        true("located", "Each document says where it comes from."),
        true("titled", "Each document has a title, which stands before each of its chunks."),
        true("filled", "No document is empty."),
        true("sum", "The checksum is that of the text."),
    ]
