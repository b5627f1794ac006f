"""Records of CSV and TSV: rows under the names of the first line."""

import csv
import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TextIO

from tasks.errors import SourceError
from tasks.prepare.collect.readers.packed import text_bytes
from tasks.prepare.collect.readers.record import Fault, Record, check_names

_MOST = 8 * 2**20  # characters of a line: of fields with one character each, a longer one takes gigabytes


def read_delimited(path: Path, *, delimiter: str) -> Iterator[Record | Fault]:
    """The record of each row; it may span lines, its number is that of its last.

    Raises:
        SourceError: two columns have the same name, or their names cannot be read.
    """
    # Bytes that are not UTF-8 become lone surrogates, so that one bad row does not end the file.
    with text_bytes(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
        over: set[int] = set()
        rows = csv.reader(_bounded(text, over), delimiter=delimiter)
        names: list[str] | None = None
        while True:
            began = rows.line_num + 1
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                fault = _broken(rows.line_num, str(error), over=rows.line_num in over)
                if names is None:
                    raise SourceError(
                        f"{path}: its first line should name the columns, and cannot be read: {fault.detail}"
                    ) from None
                yield fault
                continue
            if names is None:
                check_names(path, row)
                names = row
            elif row:
                yield _record(began, rows.line_num, names, row)


read_csv = partial(read_delimited, delimiter=",")
read_tsv = partial(read_delimited, delimiter="\t")


def _bounded(text: TextIO, over: set[int]) -> Iterator[str]:
    """The lines of a text; for one that is too long, whose number goes to `over`, a field that is refused."""
    number = 0
    while line := text.readline(_MOST):
        number += 1
        rest = line
        while rest and not rest.endswith(("\n", "\r")):
            rest = text.readline(_MOST)
            if rest and line:
                over.add(number)
                line = ""
        yield line or "x" * (csv.field_size_limit() + 1)


def _broken(number: int, said: str, *, over: bool) -> Fault:
    if over:
        return Fault(number, "too_long", f"a line of more than {_MOST // 2**20} million characters")
    if said.startswith("field larger than"):
        most = csv.field_size_limit()
        return Fault(
            number, "too_long", f"a field of more than {most:,} characters; JSONL may hold longer ones"
        )
    return Fault(number, "broken_csv", said)


def _record(began: int, number: int, names: list[str], row: list[str]) -> Record | Fault:
    if len(row) != len(names):
        over = f", over the lines from {began} on: is a quotation mark not closed?" if number > began else ""
        return Fault(number, "broken_csv", f"{len(row)} fields under {len(names)} names{over}")
    if any("\udc80" <= character <= "\udcff" for value in row for character in value):
        return Fault(number, "not_utf8", "invalid bytes")
    return Record(number, dict(zip(names, row, strict=True)))
