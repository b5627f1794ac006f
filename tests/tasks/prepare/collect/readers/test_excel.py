"""Protects workbooks: values as people see them, and no error, sheet or hostile file that passes unseen."""

import sys
import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import SourceError
from tasks.prepare.collect.readers import Fault, Record, read_records
from tasks.prepare.collect.readers.excel import MOST_BYTES


def workbook(path: Path, **sheets: Sequence[Sequence[Any]]) -> Path:
    """A workbook with these rows in each sheet."""
    openpyxl = pytest.importorskip("openpyxl", reason="installed by: make extras")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_rows_stand_under_the_names_of_the_first(tmp_path: Path) -> None:
    head = ["id", "question ", "answer", "when", None]
    path = workbook(
        tmp_path / "a.xlsx",
        faq=[head, [1, "Why?", "Because.\nSo.", date(2026, 3, 1)], [], [2, "Who?", 4.5, None], [3, True]],
    )
    assert list(read_records(path)) == [
        Record(2, {"id": 1, "question": "Why?", "answer": "Because.\nSo.", "when": "2026-03-01T00:00:00"}),
        Record(4, {"id": 2, "question": "Who?", "answer": 4.5, "when": None}),
        Record(5, {"id": 3, "question": True, "answer": None, "when": None}),
    ]


def test_what_would_pass_unseen_is_told(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.xlsx",
        faq=[["question", "answer"], ["Why?", "#REF!"], ["Who?", "She.", "stray"], ["When?", "Now."]],
        empty=[],
        old=[["question"], ["Where?"]],
    )
    found = list(read_records(path))
    assert [entry for entry in found if isinstance(entry, Fault)] == [
        Fault(2, "broken_row", "answer holds the error #REF!"),
        Fault(3, "broken_row", "column 3 holds a value and has no name"),
        Fault(0, "other_sheet", "the sheet 'old' has rows, and the first alone is read"),
    ]
    assert [entry.line for entry in found if isinstance(entry, Record)] == [4]


def test_a_workbook_that_is_none_or_damaged_is_told(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", faq=[["question"], ["Why?"]])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match="is no workbook, is cut off, or has a password"):
        list(read_records(path))
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("xl/workbook.xml", "<workbook")
    with pytest.raises(SourceError, match="cannot be read as a workbook"):
        list(read_records(path))


def test_a_small_file_that_unpacks_to_a_huge_one_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", faq=[["question"], ["Why?"]])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as packed, packed.open("xl/more.xml", "w") as file:
        for _ in range(MOST_BYTES // 2**24 + 1):
            file.write(bytes(2**24))
    assert path.stat().st_size < 4 * 2**20
    with pytest.raises(SourceError, match=r"unpacks to 5\d\d MiB"):
        list(read_records(path))


def test_without_openpyxl_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(SourceError, match=r"pip install openpyxl .*or save the sheet as CSV"):
        list(read_records(tmp_path / "a.xlsx"))
