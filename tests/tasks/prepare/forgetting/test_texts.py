"""Protects the search: words are found in every kind of file that runs leave, however it holds them."""

import contextlib
import gzip
import html
import json
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.errors import SourceError
from tasks.prepare.forgetting.texts import line_texts, texts_in
from tasks.rows.identity import folded
from tasks.rows.records import Example
from tasks.rows.tables import write_table
from tests.deploy.documents.reading.pdfs import drawn, pdf
from tests.tasks.rows.made import question

TEXT = 'Ada "Countess" Löv\nelace'


def write_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE chunks (text)")
        connection.execute("INSERT INTO chunks VALUES (?)", ("x" * 9000 + TEXT + "x" * 9000,))


def write_weights(path: Path, note: str) -> None:
    import numpy as np
    from safetensors.numpy import save_file

    save_file({"w": np.frombuffer(TEXT.encode() * 4, dtype=np.uint8)}, path, metadata={"note": note})


def write_workbook(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/sharedStrings.xml", f"<si><t>{html.escape(TEXT)}</t></si>")


WRITERS: dict[str, Callable[[Path], object]] = {
    "a.parquet": lambda path: write_table(path, Example, [question("a", TEXT)]),
    "cached": lambda path: write_table(path, Example, [question("a", TEXT)]),
    "a.sqlite": write_database,
    "a.json": lambda path: path.write_text(json.dumps({"deep": [{TEXT: 1}]})),
    "a.jsonl": lambda path: path.write_text("broken\n" + json.dumps([TEXT]) + "\n"),
    "copy of json": lambda path: path.write_text(json.dumps([TEXT])),
    "copy of lines": lambda path: path.write_text("\n".join(json.dumps({"a": each}) for each in ("b", TEXT))),
    "a.xlsx": write_workbook,
    "a.pdf": lambda path: path.write_bytes(pdf([drawn([(11, 600, 'Ada "Countess" Löv elace')])])),
    "a.html": lambda path: path.write_text("<p>Ada <b>&quot;Countess&quot;</b> L&ouml;v\nelace</p>"),
    "a.txt": lambda path: path.write_text("é" * (2**22 - 3) + TEXT),
    "a.txt.gz": lambda path: path.write_bytes(gzip.compress(TEXT.encode())),
}


@pytest.mark.parametrize("name", WRITERS)
def test_words_are_found_in_every_kind_of_file(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name)
    assert any(folded(TEXT) in folded(told) for told in texts_in(tmp_path / name))
    assert not any("babbage" in folded(told) for told in texts_in(tmp_path / name))


def test_of_weights_the_header_alone_is_read(tmp_path: Path) -> None:
    write_weights(tmp_path / "a.safetensors", "by Ada")
    told = folded(" ".join(texts_in(tmp_path / "a.safetensors")))
    assert "by ada" in told
    assert "countess" not in told


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300), name=st.sampled_from(["a.json", "a.jsonl", "a.html", "a.bin"]))
def test_no_bytes_end_the_search_with_a_traceback(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    with contextlib.suppress(SourceError):  # it may look like a table, and be none
        list(texts_in(tmp_path / name))


def test_a_file_that_cannot_be_searched_is_told_and_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 cut off")
    with pytest.raises(SourceError, match=r"a\.parquet cannot be searched"):
        list(texts_in(tmp_path / "a.parquet"))
    (tmp_path / "a.sqlite").write_bytes(b"SQLite format 3\x00 cut off")
    with pytest.raises(SourceError, match=r"a\.sqlite cannot be searched"):
        list(texts_in(tmp_path / "a.sqlite"))


def test_lines_of_text_are_told_with_their_numbers_and_without_escapes(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"a": "x"}\n' + json.dumps({"a": TEXT}) + "\n")
    lines = dict(line_texts(tmp_path / "a.jsonl"))
    assert TEXT in lines[2]
    assert TEXT not in lines[1]
    assert list(line_texts(tmp_path)) == []
