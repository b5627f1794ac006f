"""What documents are expected to be."""

from typing import Any

from deploy.files import text_sha256
from tasks.prepare.validate.expect import Columns, identified, true
from tasks.prepare.validate_settings import ValidateSettings

COLUMNS: Columns = {
    "id": ("str", lambda row, _: row.id),
    "id_apart": ("bool", lambda row, between: row.id not in between.shared),
    "named": ("bool", lambda row, _: bool(row.id.strip())),
    "located": ("bool", lambda row, _: bool(row.uri.strip())),
    "titled": ("bool", lambda row, _: bool(row.title.strip())),
    "filled": ("bool", lambda row, _: bool(row.text.strip())),
    "sum": ("bool", lambda row, _: text_sha256(row.text) == row.sha256),
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
