"""Records of an Excel workbook (.xlsx): rows under the names of the first, of its first sheet."""

import warnings
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, time
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from tasks.errors import SourceError
from tasks.prepare.collect.readers.record import Fault, Record

MOST_BYTES = 512 * 2**20  # of a workbook, unpacked
_ERRORS = {"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!"}

Cells = Sequence[Any]


def read_excel(path: Path) -> Iterator[Record | Fault]:
    """The record of each row that is not empty; another sheet that has rows is told as a fault.

    Raises:
        SourceError: openpyxl is not installed, or the workbook is damaged, locked, or too large.
    """
    sheets = _sheets(path)
    names, *rows = next(iter(sheets.values()), []) or [()]
    columns = [None if name is None else str(name).strip() for name in names]
    for number, row in enumerate(rows, start=2):
        if any(value is not None for value in row):
            yield _record(number, columns, row)
    for title, others in list(sheets.items())[1:]:
        if others:
            yield Fault(0, "other_sheet", f"the sheet {title!r} has rows, and the first alone is read")


def _sheets(path: Path) -> dict[str, list[Cells]]:
    """The rows of each sheet by its title; of formulas the values that were last worked out."""
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise SourceError(
            f"{path} is a workbook, which openpyxl reads: pip install openpyxl (or make extras); or save the "
            "sheet as CSV (UTF-8)"
        ) from None
    _check_size(path)
    with warnings.catch_warnings():  # of what the workbook has beside its values
        warnings.simplefilter("ignore")
        try:
            book = load_workbook(path, read_only=True, data_only=True)
            try:
                return {sheet.title: _rows(sheet) for sheet in book.worksheets}
            finally:
                book.close()
        except (zipfile.BadZipFile, ParseError, KeyError, ValueError, TypeError, IndexError) as error:
            raise SourceError(f"{path} cannot be read as a workbook: {error}; save it anew") from None


def _check_size(path: Path) -> None:
    """Refuse what would fill the memory: a small file may unpack to any size."""
    try:
        with zipfile.ZipFile(path) as packed:
            size = sum(part.file_size for part in packed.infolist())
    except zipfile.BadZipFile:
        raise SourceError(
            f"{path} is no workbook, is cut off, or has a password; save it anew as .xlsx"
        ) from None
    if size > MOST_BYTES:
        raise SourceError(
            f"{path} unpacks to {size / 2**20:,.0f} MiB, and {MOST_BYTES // 2**20} are the most; save the "
            "sheet as CSV (UTF-8)"
        )


def _rows(sheet: Any) -> list[Cells]:
    sheet.reset_dimensions()  # what a workbook says of its size is often wrong
    return list(sheet.iter_rows(values_only=True))


def _record(number: int, names: Sequence[str | None], row: Cells) -> Record | Fault:
    values: dict[str, Any] = {name: None for name in names if name}
    for at, value in enumerate(row):
        name = names[at] if at < len(names) else None
        if value is None:
            continue
        if not name:
            return Fault(number, "broken_row", f"column {at + 1} holds a value and has no name")
        if values[name] is not None:
            return Fault(number, "broken_row", f"two columns are called {name!r}")
        if isinstance(value, str) and value in _ERRORS:
            return Fault(number, "broken_row", f"{name} holds the error {value}")
        values[name] = value.isoformat() if isinstance(value, date | time) else value
    return Record(number, values)
