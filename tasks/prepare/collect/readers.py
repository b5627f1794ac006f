"""Records of a JSONL, CSV or Parquet file, one by one; what cannot be read is told with its line."""

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.errors import SourceError


@dataclass(frozen=True, slots=True)
class Record:
    """One record and its line (in Parquet: its row, counted from 1)."""

    line: int
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that holds no record, and why; `detail` never holds its text."""

    line: int
    reason: str
    detail: str


def read_records(path: Path) -> Iterator[Record | Fault]:
    """The records of a file by its ending.

    Raises:
        SourceError: the file is missing, cannot be opened, or has an ending that is not known.
    """
    reader = READERS.get(path.suffix.lower())
    if not path.is_file():
        raise SourceError(f"{path} is not there; correct the path of this source in params.yaml")
    if reader is None:
        raise SourceError(f"{path}: files are read that end in {', '.join(READERS)}, not in {path.suffix!r}")
    try:
        yield from reader(path)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}") from None


def _jsonl(path: Path) -> Iterator[Record | Fault]:
    """Lines end at LF alone: texts may hold other line separators, which `splitlines` would cut at."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            content = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            if content.strip():
                yield _json_line(number, content)


def _json_line(number: int, line: bytes) -> Record | Fault:
    try:
        values = json.loads(line.decode("utf-8"))
        json.dumps(values, ensure_ascii=False).encode("utf-8")  # an escape may stand for half a character
    except UnicodeError as error:
        return Fault(number, "not_utf8", getattr(error, "reason", "invalid text"))
    except json.JSONDecodeError as error:
        return Fault(number, "broken_json", f"column {error.colno}: {error.msg}")
    except (ValueError, RecursionError) as error:
        return Fault(number, "broken_json", type(error).__name__)
    if not isinstance(values, dict):
        return Fault(number, "wrong_shape", f"a {type(values).__name__}, not an object")
    return Record(number, values)


def _csv(path: Path) -> Iterator[Record | Fault]:
    """Rows under the names of the first line; a row may span lines, its number is that of its last."""
    # Bytes that are not UTF-8 become lone surrogates, so that one bad row does not end the file.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        rows = csv.reader(file)
        names: list[str] | None = None
        while True:
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield Fault(rows.line_num, "broken_csv", str(error))
                continue
            if names is None:
                names = row
            elif row:
                yield _csv_row(rows.line_num, names, row)


def _csv_row(number: int, names: list[str], row: list[str]) -> Record | Fault:
    if len(row) != len(names):
        return Fault(number, "broken_csv", f"{len(row)} fields under {len(names)} names")
    if any("\udc80" <= character <= "\udcff" for value in row for character in value):
        return Fault(number, "not_utf8", "invalid bytes")
    return Record(number, dict(zip(names, row, strict=True)))


def _parquet(path: Path) -> Iterator[Record | Fault]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches():
                for values in batch.to_pylist():
                    number += 1
                    yield Record(number, values)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path} cannot be read as Parquet after row {number}: {error}") from None


READERS: dict[str, Callable[[Path], Iterator[Record | Fault]]] = {
    ".jsonl": _jsonl,
    ".csv": _csv,
    ".parquet": _parquet,
}
