"""Protects runs from bad files: each is told by its name, line and cause, and nothing is taken by halves."""

import gzip
import json
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.errors import SourceError
from tasks.prepare.collect.readers import Fault, Record, read_records, text_line
from tests.nobody import nobody

ROW = {"prompt": "Why?", "completion": "Because."}
LINES = "".join(json.dumps(ROW | {"id": n}) + "\n" for n in range(2000)).encode()


def told(path: Path) -> list[tuple[int, str, str]]:
    """The faults of a file: line, reason and detail."""
    return [(e.line, e.reason, e.detail) for e in read_records(path) if isinstance(e, Fault)]


def records(path: Path) -> list[dict[str, object]]:
    return [entry.values for entry in read_records(path) if isinstance(entry, Record)]


def cut_parquet(path: Path) -> None:
    pq.write_table(pa.table({"prompt": ["Why?"] * 9}), path)
    path.write_bytes(path.read_bytes()[:-20])


def two_named_alike(path: Path) -> None:
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["id", "id"]), path)


def cut_gzip(path: Path) -> None:
    path.write_bytes(gzip.compress(LINES)[:-30])


def broken_gzip(path: Path) -> None:
    packed = bytearray(gzip.compress(LINES))
    packed[len(packed) // 2] ^= 0xFF
    path.write_bytes(bytes(packed))


def cut_zstd(path: Path) -> None:
    with pa.CompressedOutputStream(str(path), "zstd") as file:
        file.write(LINES)
    path.write_bytes(path.read_bytes()[:-30])


@pytest.mark.parametrize(
    ("name", "write", "message"),
    [
        ("a.parquet", cut_parquet, "cannot be read as Parquet after row 0"),
        ("a.jsonl.gz", cut_gzip, "cannot be unpacked.*copy it anew, none of it is taken"),
        ("b.jsonl.gz", broken_gzip, "cannot be unpacked"),
        ("c.jsonl.gz", lambda path: path.write_bytes(LINES), "cannot be unpacked: Not a gzipped file"),
        ("a.jsonl.zst", cut_zstd, "cannot be unpacked"),
        ("d.jsonl.zst", lambda path: path.write_bytes(LINES), "cannot be unpacked"),
        ("a.csv", lambda path: path.write_text("prompt\n", "utf-16"), "is UTF-16; save it as UTF-8"),
        ("b.csv", lambda path: path.write_text("id,id\n1,2\n"), "two columns called 'id', of which one"),
        ("b.parquet", two_named_alike, "two columns called 'id', of which one"),
        ("a.parquet.gz", lambda path: path.write_bytes(b""), r"not in '\.parquet\.gz'"),
        ("a.doc", lambda path: path.write_bytes(b""), r"files are read that end in .*not in '\.doc'"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_whole_gives_nothing_at_all(
    tmp_path: Path, name: str, write: object, message: str
) -> None:
    path = tmp_path / name
    write(path)  # type: ignore[operator]
    with pytest.raises(SourceError, match=message):
        list(read_records(path))


def test_a_line_of_100_mb_is_told_and_the_next_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with path.open("wb") as file:
        file.write(json.dumps(ROW).encode() + b'\n{"prompt": "')
        for _ in range(100):
            file.write(b"x" * 2**20)
        file.write(b'"}\n' + json.dumps(ROW).encode())
    assert told(path) == [(2, "too_long", "more than 64 MiB")]
    assert records(path) == [ROW, ROW]
    assert text_line(path, 2) == "more than 64 MiB"
    assert text_line(path, 3) == json.dumps(ROW)


def test_a_cell_that_is_too_long_is_told_and_the_next_row_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"prompt,completion\n{'x' * 200_000},y\nWhy?,Because.\n")
    assert told(path) == [
        (2, "too_long", "a field of more than 131,072 characters; JSONL may hold longer ones")
    ]
    assert records(path) == [ROW]


def test_a_line_of_100_mb_in_columns_takes_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("prompt,completion\nWhy?,Because.\n")
        for _ in range(100):
            file.write("ab,cd,ef," * (2**20 // 9))  # some 35 million fields
        file.write("\nWhy?,Because.\n")
    tracemalloc.start()
    try:
        found = list(read_records(path))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [(e.line, e.detail) for e in found if isinstance(e, Fault)] == [
        (3, "a line of more than 8 million characters")
    ]
    assert [e.values for e in found if isinstance(e, Record)] == [ROW, ROW]
    assert most < 100 * 2**20


def test_column_names_that_cannot_be_read_are_not_taken_from_the_next_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"{'x' * 200_000},completion\nWhy?,Because.\n")
    with pytest.raises(
        SourceError, match="its first line should name the columns, and cannot be read: a field of"
    ):
        list(read_records(path))


def test_a_quotation_mark_that_is_not_closed_says_how_much_it_has_swallowed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('prompt,completion\nWhy?,Because.\n"Who?,She.\nWhen?,Now.\nWhere?,Here.\n')
    assert records(path) == [ROW]
    assert told(path) == [
        (5, "broken_csv", "1 fields under 2 names, over the lines from 3 on: is a quotation mark not closed?")
    ]


def test_columns_that_change_and_encodings_that_mix_are_told_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_bytes(b"prompt\tcompletion\nWhy?\tBecause.\nWho?\tShe.\ttwice\ncaf\xe9\tx\nWhy?\tBecause.\n")
    assert [(line, reason) for line, reason, _ in told(path)] == [(3, "broken_csv"), (4, "not_utf8")]
    assert records(path) == [ROW, ROW]


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.tsv", "a.jsonl.gz"])
def test_an_empty_file_has_no_records(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(gzip.compress(b"") if name.endswith(".gz") else b"")
    assert list(read_records(tmp_path / name)) == []


@pytest.mark.parametrize("forbidden", ["a.jsonl", ".", "a.parquet"])
def test_what_may_not_be_read_is_told(forbidden: str) -> None:
    name = "a.jsonl" if forbidden == "." else forbidden
    with tempfile.TemporaryDirectory() as place:  # tmp_path is root's alone, where root runs the tests
        path = Path(place) / name
        Path(place).chmod(0o755)
        pq.write_table(pa.table({"prompt": ["Why?"]}), path)
        (Path(place) / forbidden).chmod(0)
        with nobody(), pytest.raises(SourceError, match=rf"{name} cannot be read.*Permission denied"):
            list(read_records(path))
        Path(place).chmod(0o700)


def rewrite(path: Path) -> None:
    path.write_bytes(LINES[:100])


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(LINES)


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.jsonl.gz", "a.parquet"])
@pytest.mark.parametrize(
    ("disturb", "message"),
    [
        (Path.unlink, "is not there"),
        (rewrite, "has changed while it was read, so that a part may be missing; none of it is taken"),
        (append, "has changed while it was read"),
    ],
)
def test_a_file_that_changes_or_goes_while_it_is_read_gives_nothing(
    tmp_path: Path, name: str, disturb: Callable[[Path], object], message: str
) -> None:
    path = tmp_path / name
    if name == "a.parquet":
        pq.write_table(pa.table({"prompt": ["Why?"] * 200_000}), path)
    else:
        content = b"prompt\n" + b"Why?\n" * 200_000 if name == "a.csv" else LINES * 50
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    found = read_records(path)
    assert isinstance(next(found), Record)
    disturb(path)
    with pytest.raises(SourceError, match=f"{message}|cannot be unpacked|cannot be read as Parquet"):
        list(found)


def test_a_line_that_is_not_there_any_more_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a\n")
    with pytest.raises(SourceError, match="has no line 7 any more"):
        text_line(tmp_path / "a.csv", 7)
