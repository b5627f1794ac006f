"""Records of a file by its ending, one by one; what cannot be read is told with its line."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePath

from tasks.errors import SourceError
from tasks.prepare.collect.readers.delimited import read_csv, read_tsv
from tasks.prepare.collect.readers.excel import read_excel
from tasks.prepare.collect.readers.jsonl import MOST_BYTES, read_jsonl
from tasks.prepare.collect.readers.packed import PACKED, lines, text_bytes
from tasks.prepare.collect.readers.parquet import read_parquet
from tasks.prepare.collect.readers.record import Fault, Record
from tasks.prepare.collect.readers.whole import whole

__all__ = ["READERS", "Fault", "Record", "ending", "read_records", "text_line"]

READERS: Mapping[str, Callable[[Path], Iterator[Record | Fault]]] = {
    ".jsonl": read_jsonl,
    ".csv": read_csv,
    ".tsv": read_tsv,
    ".parquet": read_parquet,
    ".xlsx": read_excel,
}
TEXTS = (".jsonl", ".csv", ".tsv")  # these may be packed as well
_SHOWN = 4000  # bytes of a line


def read_records(path: Path) -> Iterator[Record | Fault]:
    """The records of a file by its ending.

    Raises:
        SourceError: the file is missing, cannot be opened, has an ending that is not known, or changes while
            it is read.
    """
    kind, packing = ending(path)
    reader = READERS.get(kind)
    if reader is None or (packing and kind not in TEXTS):
        with whole(path):
            pass  # that it is not there is said first
        known = f"{', '.join(READERS)}, the texts among them also with {' or '.join(PACKED)} behind that"
        raise SourceError(f"{path}: files are read that end in {known}, not in {kind + packing!r}")
    with whole(path):
        yield from reader(path)


def ending(path: PurePath) -> tuple[str, str]:
    """The ending of a file that says what it holds, and the one behind it that says how it is packed."""
    last = path.suffix.lower()
    return (PurePath(path.stem).suffix.lower(), last) if last in PACKED else (last, "")


def text_line(path: Path, number: int) -> str | None:
    """The start of line `number` of a file of text, bytes that are no UTF-8 marked; None for other files.

    Raises:
        SourceError: the file cannot be opened, or has fewer lines.
    """
    if ending(path)[0] not in TEXTS:
        return None
    try:
        with text_bytes(path) as file:
            for at, line in lines(file, MOST_BYTES):
                if at == number:
                    start = f"more than {MOST_BYTES // 2**20} MiB".encode() if line is None else line[:_SHOWN]
                    return start.decode("utf-8", "backslashreplace").rstrip("\r\n")
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}") from None
    raise SourceError(f"{path} has changed since: it has no line {number} any more")
