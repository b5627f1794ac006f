"""Protects the sheet: what people have typed comes back, and the source `file` reads it as such."""

from pathlib import Path

import pytest

from tasks.errors import SourceError
from tasks.prepare.collect.files import read_file
from tasks.prepare.collect.pieces import in_memory
from tasks.prepare.collect_settings import FileSource
from tasks.prepare.own_questions.sheet import COLUMNS, read_sheet, to_fill_in, write_sheet
from tests.tasks.rows.made import document


def test_a_line_shows_the_beginning_of_its_document() -> None:
    line = to_fill_in(document("d", "One  two\nthree. " * 100, title="Numbers"))
    assert (line["evidence"], line["title"], line["question"]) == ("py:d", "Numbers", "")
    assert line["excerpt"].startswith("One two three. One")
    assert line["excerpt"].endswith(" ...")
    assert len(line["excerpt"]) <= 604
    assert to_fill_in(document("d", "Short."))["excerpt"] == "Short."


def test_a_sheet_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "test.csv"
    typed = {"question": 'Is "C",\nor \u201ec\u201c?', "answer": "\u4e0d; =1", "answerable": "yes"}
    line = to_fill_in(document("d", "Text.")) | typed | {"who": "Ann"}
    write_sheet(path, [line, to_fill_in(document("e", "Text."))])
    first, second = read_sheet(path)
    assert first == line
    assert second["who"] == second["question"] == ""
    assert list(first) == [*COLUMNS, "who"]


def test_the_source_reads_it_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "test.csv"
    filled = {"question": "Why?", "answer": "Because.", "answerable": ""}
    write_sheet(path, [to_fill_in(document("d", "Text.")) | filled])
    source = FileSource(kind="file", path=path, held_out="own questions")
    (row,) = in_memory(read_file(source, watched=tmp_path)).rows.examples
    assert (row.prompt[0].content, row.answer, row.evidence) == ("Why?", "Because.", ("py:d",))
    assert row.answerable


def test_what_is_no_sheet_is_told(tmp_path: Path) -> None:
    path = tmp_path / "test.csv"
    path.write_text("question,answer\nWhy?,So.\n")
    with pytest.raises(SourceError, match="has no column 'answerable'; it should be one that test-set draw"):
        read_sheet(path)
    path.write_text("question,answer,answerable\nWhy?,So.\n")
    with pytest.raises(SourceError, match=r"line 2: 2 fields under 3 names; mend it"):
        read_sheet(path)
    with pytest.raises(SourceError, match="is not there"):
        read_sheet(tmp_path / "other.csv")
