"""Rows to Parquet and back, in one schema for each kind of row, whole or shard by shard."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, fields
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.atomic import replacing
from deploy.messages import Message
from tasks.errors import SourceError
from tasks.rows.arrow import RowT, arrow_of, default_of, rows_of, schema
from tasks.rows.cutting import ShardWriter
from tasks.rows.records import Document, Example, Preference, Record, Row, RowKind, Rows

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

# Rows that become a table of Arrow together, to be cut into shards: as objects they take far more memory.
_ROWS_AT_ONCE, _CHARACTERS_AT_ONCE = 256, 2**20
KINDS: Mapping[RowKind, type[Row]] = {"example": Example, "preference": Preference, "document": Document}
KIND_OF: Mapping[type[Row], RowKind] = {kind: word for word, kind in KINDS.items()}
FILES: dict[type[Record], str] = {
    Example: "examples.parquet",
    Preference: "preferences.parquet",
    Document: "documents.parquet",
}


def write_table(path: Path, kind: type[RowT], rows: Iterable[RowT]) -> int:
    """Write `rows` of one kind to a Parquet file, atomically, and say how many they were.

    Equal rows give equal bytes. They are taken as they come, and written by shards: no more of them are in
    memory than one.
    """
    with table_writer(path, kind) as writer:
        for row in rows:
            writer.add(row)
    return writer.count


def write_arrow(path: Path, found: "pa.Schema", tables: "Iterable[pa.Table]") -> int:
    """The same for rows that stand in Arrow tables of any size: the file is that of `write_table`, faster."""
    with _shard_writer(path, found) as shards:
        for table in tables:
            shards.add(table)
    return shards.count


@contextmanager
def table_writer(path: Path, kind: type[Record]) -> "Iterator[TableWriter]":
    """What takes rows of one kind one by one; the file is there when the block has ended well."""
    with _shard_writer(path, schema(kind)) as shards:
        writer = TableWriter(kind, shards)
        yield writer
        writer.flush()


class TableWriter:
    """Writes rows by shards; `count` says how many it was given."""

    def __init__(self, kind: type[Record], shards: ShardWriter) -> None:
        self._kind, self._shards = kind, shards
        self._values = attrgetter(*(field.name for field in fields(kind)))
        self._rows: list[Record] = []
        self._characters = self.count = 0

    def add(self, row: Record) -> None:
        """Take a row."""
        self._rows.append(row)
        self._characters += _characters(self._values(row))
        self.count += 1
        if len(self._rows) == _ROWS_AT_ONCE or self._characters >= _CHARACTERS_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Hand on what is there."""
        self._shards.add(arrow_of(self._kind, self._rows))
        self._rows, self._characters = [], 0


def _characters(value: Any) -> int:
    """How many characters the texts in a value have."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Message):
        return len(value.content)
    if isinstance(value, tuple):
        return sum(map(_characters, value))
    return sum(map(_characters, value.values())) if isinstance(value, dict) else 0


@contextmanager
def _shard_writer(path: Path, found: "pa.Schema") -> Iterator[ShardWriter]:
    import pyarrow.parquet as pq

    with (
        replacing(path) as partial,
        pq.ParquetWriter(partial, found, compression="zstd") as file,
    ):
        shards = ShardWriter(found.empty_table(), file.write_table)
        yield shards
        shards.end()


def read_table(path: Path, kind: type[RowT]) -> list[RowT]:
    """The rows of a Parquet file that `write_table` wrote, with defaults for fields that have come since.

    Raises:
        SourceError: the file is missing or is not of this schema.
    """
    return list(chain.from_iterable(read_shards(path, kind)))


def read_shards(path: Path, kind: type[RowT], numbers: Iterable[int] | None = None) -> Iterator[list[RowT]]:
    """The same rows shard by shard, so that one of them is in memory; `numbers` asks for some of them.

    Raises:
        SourceError: the file is missing or is not of this schema.
    """
    return (rows_of(kind, shard) for shard in read_arrow(path, kind, numbers))


def read_arrow(
    path: Path,
    kind: type[Record],
    numbers: Iterable[int] | None = None,
    *,
    columns: Sequence[str] | None = None,
) -> "Iterator[pa.Table]":
    """The same shards as Arrow tables, which are read in a fraction of the time; `columns` asks for some.

    Raises:
        SourceError: the file is missing or is not of this schema.
    """
    import pyarrow as pa

    found = schema(kind)
    if columns is not None:
        found = pa.schema([found.field(name) for name in columns])
    with _opened(path, kind) as file:
        there = [name for name in found.names if name in file.schema_arrow.names]
        for number in range(file.num_row_groups) if numbers is None else numbers:
            try:
                shard = file.read_row_group(number, columns=there)
            except (pa.ArrowException, OSError) as error:
                raise _unreadable(path, error) from None
            filled = [
                shard[each.name] if each.name in there else default_of(kind, each, shard.num_rows)
                for each in found
            ]
            yield pa.Table.from_arrays(filled, schema=found)


def rows_in(table: "pa.Table", kind: RowKind) -> Sequence[Row]:
    """The rows of an Arrow table of a kind that is known by its name alone."""
    match kind:
        case "example":
            return rows_of(Example, table)
        case "preference":
            return rows_of(Preference, table)
        case "document":
            return rows_of(Document, table)


def ids_at(path: Path, kind: type[Record], places: Sequence[int]) -> list[str]:
    """The ids of the rows at some places of a table, which count from 0 through all shards.

    Raises:
        SourceError: the file is missing or is not of this schema.
    """
    found: dict[int, str] = {}
    start = 0
    for shard in read_arrow(path, kind, columns=["id"]):
        found |= {at: shard["id"][at - start].as_py() for at in places if start <= at < start + len(shard)}
        start += len(shard)
    return [found[at] for at in places]


def shard_sizes(path: Path, kind: type[Record]) -> list[int]:
    """How many rows each shard of a table has.

    Raises:
        SourceError: the file is missing or is not of this schema.
    """
    with _opened(path, kind) as file:
        return [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]


@contextmanager
def _opened(path: Path, kind: type[Record]) -> "Iterator[pq.ParquetFile]":
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except FileNotFoundError:
        raise SourceError(f"{path} is not there; run the stage before this one (dvc repro)") from None
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from None
    with file:
        names, found = schema(kind).names, file.schema_arrow.names
        if found not in (names, [name for name in names if name in found or name not in _optional(kind)]):
            raise SourceError(f"{path} has columns {found}, needed are {names}")
        yield file


def _unreadable(path: Path, error: Exception) -> SourceError:
    return SourceError(f"{path} cannot be read as Parquet: {error}; delete it and run dvc repro")


def _optional(kind: type[Record]) -> set[str]:
    """The fields of a kind of row that have a default."""
    return {
        field.name for field in fields(kind) if (field.default, field.default_factory) != (MISSING, MISSING)
    }


def write_rows(folder: Path, rows: Rows) -> None:
    """Write examples.parquet, preferences.parquet and documents.parquet into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / FILES[Example], Example, rows.examples)
    write_table(folder / FILES[Preference], Preference, rows.preferences)
    write_table(folder / FILES[Document], Document, rows.documents)


def read_rows(folder: Path) -> Rows:
    """The rows of a folder that `write_rows` wrote."""
    return Rows(
        examples=tuple(read_table(folder / FILES[Example], Example)),
        preferences=tuple(read_table(folder / FILES[Preference], Preference)),
        documents=tuple(read_table(folder / FILES[Document], Document)),
    )
