"""Protects every text: whatever a file of any format holds is read as it was written, packed or not."""

import contextlib
import csv
import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.errors import SourceError
from tasks.prepare.collect.readers import Record, read_records

Rows = Sequence[Mapping[str, str]]
NAMES = ("prompt", "completion")
# Everything that UTF-8 can hold; of line ends and quotation marks more than chance would give.
TEXT = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from('\r\n",\t\u2028\ufeff\x00')), max_size=12
)
ROWS = st.lists(st.fixed_dictionaries(dict.fromkeys(NAMES, TEXT)), min_size=1, max_size=4)


def jsonl(rows: Rows) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def write_delimited(path: Path, rows: Rows) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, NAMES, delimiter="\t" if path.suffix == ".tsv" else ",")
        writer.writeheader()
        writer.writerows(rows)


def write_zstd(path: Path, rows: Rows) -> None:
    import pyarrow as pa

    with pa.CompressedOutputStream(str(path), "zstd") as file:
        file.write(jsonl(rows))


def write_parquet(path: Path, rows: Rows) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows]), path)


WRITERS: dict[str, Callable[[Path, Rows], object]] = {
    "a.jsonl": lambda path, rows: path.write_bytes(jsonl(rows)),
    "a.JSONL.gz": lambda path, rows: path.write_bytes(gzip.compress(jsonl(rows))),
    "v1.2.jsonl.zst": write_zstd,
    "a.csv": write_delimited,
    "a.tsv": write_delimited,
    "a.parquet": write_parquet,
}


@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_what_was_written_is_read(name: str, tmp_path: Path, rows: Rows) -> None:
    path = tmp_path / name
    WRITERS[name](path, rows)
    found = list(read_records(path))
    assert [entry.values for entry in found if isinstance(entry, Record)] == rows
    assert len(found) == len(rows)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200), name=st.sampled_from(["a.jsonl", "a.csv", "a.tsv"]))
def test_no_bytes_end_the_reading_with_a_traceback(tmp_path: Path, content: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with contextlib.suppress(SourceError):  # it may say that it reads nothing of it
        lines = [entry.line for entry in read_records(path)]
        assert lines == sorted(lines)
