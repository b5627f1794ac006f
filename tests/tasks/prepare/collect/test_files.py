"""Protects files of rows: each broken line is told with its number, nothing else is lost."""

import csv
import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from tasks.errors import SourceError
from tasks.prepare.collect.files import read_file
from tasks.prepare.collect.identifiers import Collected
from tasks.prepare.collect.pieces import in_memory
from tasks.prepare.collect_settings import FileSource
from tests.tasks.prepare.collect.reading import ANSWER, QUESTION, jsonl, read


def test_a_file_may_be_held_out_and_a_name_of_its_own_wins(tmp_path: Path) -> None:
    rows = [
        {"prompt": "Why?", "completion": "A."},
        {"prompt": "Who?", "completion": "B.", "held_out": " hard ones "},
        {"prompt": "When?", "completion": "C.", "held_out": ""},
        {"prompt": "Where?", "completion": "D.", "held_out": True},
    ]
    found = held_out(jsonl(tmp_path / "a.jsonl", *rows))
    names = [row.held_out for row in found.rows.examples]
    assert names == ["own questions", "hard ones", "own questions"]
    assert [row.detail for row in found.dropped] == ["line 4: held_out is a bool, not a name"]
    pairs = jsonl(tmp_path / "b.jsonl", {"prompt": "Why?", "chosen": "A.", "rejected": "B."})
    assert held_out(pairs).rows.preferences[0].held_out == "own questions"
    assert read(pairs).rows.preferences[0].held_out == ""


def test_documents_cannot_be_held_out(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds documents, which cannot be held out"):
        held_out(jsonl(tmp_path / "a.jsonl", {"text": "Text."}))


@pytest.mark.parametrize("name", ["validation", "a|b", " a", "x" * 41, "two\nlines"])
def test_names_that_the_ledger_cannot_show_are_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="it should be a name of at most 40"):
        FileSource(kind="file", path=Path("a.jsonl"), held_out=name)


def held_out(path: Path) -> Collected:
    """What a file gives that is held out."""
    return in_memory(
        read_file(FileSource(kind="file", path=path, held_out="own questions"), watched=path.parent)
    )


def test_broken_lines_are_told_and_the_rest_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.jsonl"
    good = json.dumps({"prompt": "Why?\u2028Say.", "completion": "Because."}, ensure_ascii=False).encode()
    path.write_bytes(
        b"\n".join(
            [
                b"\xef\xbb\xbf" + good,
                b'{"prompt": "cut',
                b'{"prompt": "caf\xe9", "completion": "x"}',
                b'"text"',
                b"",
                b'{"prompt": "a", "completion": ["x", {"y": 1}]}',
                b'{"prompt": "a", "completion": {"y": 1}}',
                b'{"prompt": "half \\ud800", "completion": "x"}',
                b'{"text": "a document"}',
                b"[" * 100_000,
            ]
        )
    )
    found = read(path)
    assert [e.prompt[0].content for e in found.rows.examples] == ["Why?\u2028Say.", "a"]
    assert [(d.reason, d.detail.split(":")[0]) for d in found.dropped] == [
        ("broken_json", "line 2"),
        ("not_utf8", "line 3"),
        ("wrong_shape", "line 4"),
        ("wrong_shape", "line 7"),
        ("not_utf8", "line 8"),
        ("wrong_shape", "line 9"),
        ("broken_json", "line 10"),
    ]
    assert "a.jsonl: 9 rows, read as prompt+completion, 7 could not be read" in capsys.readouterr().out


def test_csv_is_read_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [["prompt", "completion"], ["Why,\nnow?", "Because."], ["too", "many", "x"]]
        )
    with path.open("ab") as file:
        file.write(b"caf\xe9,x\r\nWhy?,Because.\r\n")
    found = read(path)
    assert [e.prompt[0].content for e in found.rows.examples] == ["Why,\nnow?", "Why?"]
    assert [(d.reason, d.detail) for d in found.dropped] == [
        ("broken_csv", "line 4: 3 fields under 2 names"),
        ("not_utf8", "line 5: invalid bytes"),
    ]


def test_parquet_is_read(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"prompt": ["Why?"], "completion": ["Because."]}), tmp_path / "a.parquet")
    (example,) = read(tmp_path / "a.parquet").rows.examples
    assert example.messages == (QUESTION, ANSWER)


def test_what_cannot_be_used_is_named_with_the_next_step(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n\n")
    (tmp_path / "odd.jsonl").write_text('{"alpha": 1}\n')
    (tmp_path / "bad.parquet").write_text("no parquet")
    (tmp_path / "a.doc").write_text("no rows")
    jsonl(tmp_path / "a.jsonl", {"prompt": "Why?", "completion": "Because."})
    faults: list[tuple[str, dict[str, str], str]] = [
        ("missing.jsonl", {}, "missing.jsonl is not there; correct the path"),
        ("empty.jsonl", {}, "empty.jsonl holds no rows; fill it"),
        ("odd.jsonl", {}, r"no shape fits its columns \(alpha\).*Rename the columns, or map them"),
        ("bad.parquet", {}, "cannot be read as Parquet"),
        ("a.doc", {}, r"files are read that end in \.jsonl, \.csv, \.tsv, \.parquet, \.xlsx, the texts"),
        ("a.jsonl", {"evidence": "page"}, "has no column 'page'"),
    ]
    for name, columns, message in faults:
        with pytest.raises(SourceError, match=message):
            read(tmp_path / name, columns)


def test_a_file_outside_the_watched_folder_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = jsonl(tmp_path / "a.jsonl", {"prompt": "Why?", "completion": "Because."})
    in_memory(read_file(FileSource(kind="file", path=path), watched=tmp_path / "sources"))
    assert "DVC does not notice when it changes: move it there" in capsys.readouterr().out
