"""What people call a document by: an address that stays when its text changes, unlike the id of most."""

import re
from collections.abc import Mapping
from dataclasses import replace

from tasks.rows.records import Document, Example, Preference, Rows

_VERSION = re.compile(r"@[^@/]*$")


def address(document: Document) -> str:
    """Where a document comes from, without a version: `file:sources/manual/a.md`, `py:numpy.linalg.norm`."""
    return address_of(document.uri)


def address_of(uri: str) -> str:
    """The address of the document that has this URI."""
    return _VERSION.sub("", uri) if uri.startswith("py:") else uri


def by_id(rows: Rows) -> Rows:
    """The rows with the ids of documents as evidence, where they gave an address."""
    ids = {document.id for document in rows.documents}
    known = {address(document): document.id for document in reversed(rows.documents)}
    return Rows.of((*(_by_id(row, ids, known) for row in rows.asked), *rows.documents))


def _by_id(row: Example | Preference, ids: set[str], known: Mapping[str, str]) -> Example | Preference:
    if ids.issuperset(row.evidence):
        return row
    found = (name if name in ids else known.get(name, name) for name in row.evidence)
    return replace(row, evidence=tuple(found))
