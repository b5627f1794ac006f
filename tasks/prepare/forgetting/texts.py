"""The texts in a file of any kind that runs leave: tables, databases, packed files, pages, plain bytes."""

import contextlib
import html
import json
import re
import sqlite3
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Any

from deploy.errors import DocumentError
from tasks.errors import SourceError
from tasks.prepare.collect.readers import TEXTS, ending
from tasks.prepare.collect.readers.packed import PACKED, text_bytes
from tasks.prepare.collect.readers.parquet import plain_rows
from tasks.prepare.collect.resuming import INCOMPLETE

_AT_ONCE = 2**23  # bytes read at once
_OVERLAP = 2**14  # of them read twice, so that no words are cut between two reads
_PAGES = (".html", ".htm")
_TAG = re.compile(r"<[^<>]*>")


def is_half(path: Path) -> bool:
    """Whether it is what is left of a broken download: half a table cannot be searched, nor is it needed."""
    return path.suffix == INCOMPLETE


def texts_in(path: Path) -> Iterator[str]:
    """What a file says, in parts; whatever it is, its bytes are among them. Of weights that is their header.

    Raises:
        SourceError: it cannot be read, so that nobody knows what it says.
    """
    try:
        with path.open("rb") as file:
            start = file.read(16)
        if start[8:10] == b'{"' and (length := int.from_bytes(start[:8], "little")) < path.stat().st_size:
            yield from _bytes(path, most=8 + length)  # safetensors: what follows are numbers
            return
        if start.startswith(b"PAR1"):
            yield from _table(path)
        elif start.startswith(b"SQLite format 3"):
            yield from _database(path)
        elif zipfile.is_zipfile(path):
            yield from _packed(path)
        elif path.suffix.lower() == ".pdf" or start.startswith(b"%PDF-"):
            yield from _pdf(path)
        else:
            yield from _json(path)  # whatever it is called: copies in a cache have no ending
        yield from _bytes(path)
    except OSError as error:
        raise SourceError(f"{path} cannot be searched: {error.strerror or error}") from None


def line_texts(path: Path) -> Iterator[tuple[int, list[str]]]:
    """What each line of a file of text says, by its number; nothing of other files."""
    if ending(path)[0] not in (*TEXTS, ".md", ".txt"):
        return
    with text_bytes(path) as file:
        for number, line in enumerate(file, start=1):
            told = [line.decode("utf-8", "ignore")]
            with contextlib.suppress(ValueError, RecursionError):
                told += strings(json.loads(line))
            yield number, told


def strings(value: Any) -> Iterator[str]:
    """The texts in a value and all below it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, below in value.items():
            yield from strings(name)
            yield from strings(below)
    elif isinstance(value, list | tuple):
        for below in value:
            yield from strings(below)


def _table(path: Path) -> Iterator[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1000):
                yield from strings(plain_rows(batch, str(path)))
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise SourceError(f"{path} cannot be searched: {error}; delete it if a run has made it") from None


def _database(path: Path) -> Iterator[str]:
    """The values of every table: a long one does not lie in one piece in the file."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.text_factory = lambda told: told.decode("utf-8", "replace")
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (table,) in tables:
                name = table.replace('"', '""')
                for row in connection.execute(f'SELECT * FROM "{name}"'):  # noqa: S608  # its own table
                    yield from strings(row)
    except sqlite3.Error as error:
        raise SourceError(f"{path} cannot be searched: {error}") from None


def _json(path: Path) -> Iterator[str]:
    """The texts of JSON, one value or one a line, without its escapes; the rest is searched as bytes."""
    with path.open("rb") as file:
        begins = file.read(64).lstrip()[:1]
        if begins not in (b"{", b"[") and path.suffix.lower() not in (".json", ".jsonl"):
            return
        file.seek(0)
        content = file.read()
    for line in (content, *content.split(b"\n")):
        try:
            yield from strings(json.loads(line))
        except (ValueError, RecursionError):
            continue
        if line is content:
            return


def _packed(path: Path) -> Iterator[str]:
    """What the files in a ZIP say, as those of a workbook, without tags; of a damaged one no row has come."""
    damaged = (zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error, EOFError)
    with contextlib.suppress(*damaged), zipfile.ZipFile(path) as packed:
        for part in packed.infolist():
            with packed.open(part) as file:
                yield from _pieces(file, without_tags=True)


def _pdf(path: Path) -> Iterator[str]:
    """What a PDF says, as it is read for the documents; of one that cannot be read no row has come."""
    from deploy.documents.reading.formats import by_type, read_document

    reader = by_type("application/pdf")
    assert reader is not None
    with contextlib.suppress(DocumentError):
        yield read_document(path.read_bytes(), reader).text


def _bytes(path: Path, most: int | None = None) -> Iterator[str]:
    """The first `most` bytes of a file (None: all) as text; of a page without its tags."""
    with text_bytes(path) if path.suffix.lower() in PACKED else path.open("rb") as file:
        yield from _pieces(file, without_tags=path.suffix.lower() in _PAGES, most=most)


def _pieces(file: IO[bytes], *, without_tags: bool, most: int | None = None) -> Iterator[str]:
    left, done = b"", 0
    while part := file.read(_AT_ONCE if most is None else min(_AT_ONCE, most - done)):
        told = (left + part).decode("utf-8", "ignore")
        yield html.unescape(_TAG.sub(" ", told)) if without_tags else told
        left, done = part[-_OVERLAP:], done + len(part)
