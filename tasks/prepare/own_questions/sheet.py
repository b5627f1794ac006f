"""The sheet that people fill in: a CSV file with a document a row, which the source `file` reads as it is."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.atomic import write_text
from tasks.errors import SourceError
from tasks.prepare.collect.addresses import address
from tasks.prepare.collect.readers import Fault, read_records
from tasks.rows.records import Document

# `evidence` is the address of the document: under that name the source reads it.
COLUMNS = ("evidence", "title", "excerpt", "question", "answer", "answerable")
_EXCERPT = 600  # characters: enough to know what it is about

Line = dict[str, str]


def to_fill_in(document: Document) -> Line:
    """The line of a document that nobody has asked about yet."""
    text = " ".join(document.text.split())
    excerpt = text if len(text) <= _EXCERPT else f"{text[:_EXCERPT].rsplit(' ', 1)[0]} ..."
    empty = dict.fromkeys(COLUMNS, "")
    return empty | {"evidence": address(document), "title": document.title, "excerpt": excerpt}


def read_sheet(path: Path) -> list[Line]:
    """The lines of a sheet, with the columns that people have added.

    Raises:
        SourceError: it is missing, cannot be read, or lacks a column.
    """
    lines: list[Line] = []
    for entry in read_records(path):
        if isinstance(entry, Fault):
            raise SourceError(f"{path}, line {entry.line}: {entry.detail}; mend it")
        lines.append({name: "" if value is None else str(value) for name, value in entry.values.items()})
    for name in ("question", "answer", "answerable"):
        if any(name not in line for line in lines):
            raise SourceError(f"{path} has no column {name!r}; it should be one that test-set draw has made")
    return lines


def write_sheet(path: Path, lines: Sequence[Mapping[str, str]]) -> None:
    """Write a sheet, atomically. The mark at its start tells spreadsheets that it is UTF-8."""
    text = io.StringIO(newline="")
    columns = dict.fromkeys([*COLUMNS, *(name for line in lines for name in line)])
    writer = csv.DictWriter(text, list(columns), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    write_text(path, f"\ufeff{text.getvalue()}")
