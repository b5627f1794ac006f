"""Rows to Parquet and back, in one schema for each kind of row, whole or shard by shard."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, fields, is_dataclass
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from deploy.atomic import replacing
from deploy.messages import Message, as_dicts
from tasks.errors import SourceError
from tasks.rows.records import (
    Document,
    Dropped,
    EvaluationItem,
    Example,
    Learned,
    Preference,
    Record,
    Rows,
)

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

RowT = TypeVar("RowT", Document, Example, Preference, Dropped, EvaluationItem, Learned)
ROWS_A_SHARD = 16_384  # a row group of Parquet: what is read, worked on and written at once
FILES: dict[type[Record], str] = {
    Example: "examples.parquet",
    Preference: "preferences.parquet",
    Document: "documents.parquet",
}


def schema(kind: type[Record]) -> "pa.Schema":
    """The Arrow schema of a kind of row, by the types of its fields; no column is ever null."""
    import pyarrow as pa

    hints = get_type_hints(kind)
    return pa.schema(
        [pa.field(field.name, _arrow(hints[field.name]), nullable=False) for field in fields(kind)]
    )


def _arrow(kind: Any) -> "pa.DataType":
    """The Arrow type that holds values of a Python type."""
    import pyarrow as pa

    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal or kind is str:
        return pa.string()
    if origin is tuple:
        return pa.list_(_arrow(inner[0]))
    if origin is dict:
        return pa.map_(*map(_arrow, inner))
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return pa.struct([(field.name, _arrow(hints[field.name])) for field in fields(kind)])
    return {bool: pa.bool_(), int: pa.int64(), float: pa.float64()}[kind]


def write_table(path: Path, kind: type[RowT], rows: Iterable[RowT]) -> int:
    """Write `rows` of one kind to a Parquet file, atomically, and say how many they were.

    Equal rows give equal bytes. They are taken as they come, and written by shards of `ROWS_A_SHARD`: no more
    of them are in memory than one shard.
    """
    import pyarrow as pa

    found = schema(kind)

    def table(shard: Sequence[RowT]) -> pa.Table:
        columns = [pa.array([_plain(getattr(row, each.name)) for row in shard], each.type) for each in found]
        return pa.Table.from_arrays(columns, schema=found)

    return write_arrow(path, found, map(table, _in_shards(rows)))


def write_arrow(path: Path, found: "pa.Schema", tables: "Iterable[pa.Table]") -> int:
    """Write tables of one schema behind each other, in shards as `write_table` does, and count their rows."""
    import pyarrow.parquet as pq

    count = 0
    with replacing(path) as partial, pq.ParquetWriter(partial, found, compression="zstd") as file:
        for shard in _whole_shards(found, tables):
            file.write_table(shard, row_group_size=ROWS_A_SHARD)
            count += shard.num_rows
    return count


def read_arrow(
    path: Path, kind: type[Record], numbers: Iterable[int] | None = None, columns: list[str] | None = None
) -> "Iterator[pa.Table]":
    """The shards of a table as they stand in the file, or some of their columns.

    Raises:
        SourceError: the file is missing or is not of this schema.
    """
    import pyarrow as pa

    with _opened(path, kind) as file:
        for number in range(file.num_row_groups) if numbers is None else numbers:
            try:
                yield file.read_row_group(number, columns)
            except (pa.ArrowException, OSError) as error:
                raise _unreadable(path, error) from None


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
    for shard in read_arrow(path, kind, numbers):
        yield as_rows(shard, kind)


def as_rows(shard: "pa.Table", kind: type[RowT]) -> list[RowT]:
    """The rows of a table in memory."""
    # Column by column: to make a dictionary of each row first takes five times as long.
    columns = [chain.from_iterable(map(_values, column.chunks)) for column in shard.columns]
    return [kind(**dict(zip(shard.schema.names, row, strict=True))) for row in zip(*columns, strict=True)]


def shard_sizes(path: Path, kind: type[RowT]) -> list[int]:
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


def _in_shards(rows: Iterable[RowT]) -> Iterator[list[RowT]]:
    """Lists of `ROWS_A_SHARD` rows, the last one shorter; of no rows one empty list, which is a table too."""
    left = iter(rows)
    shard = list(islice(left, ROWS_A_SHARD))
    while True:
        yield shard
        if not (shard := list(islice(left, ROWS_A_SHARD))):
            return


def _whole_shards(found: "pa.Schema", tables: "Iterable[pa.Table]") -> "Iterator[pa.Table]":
    """The same rows in tables of `ROWS_A_SHARD`, the last one shorter; of no rows one empty table."""
    import pyarrow as pa

    held = found.empty_table()
    for table in tables:
        held = pa.concat_tables([held, table]) if held.num_rows else table
        while held.num_rows > ROWS_A_SHARD:
            yield held.slice(0, ROWS_A_SHARD).combine_chunks()
            held = held.slice(ROWS_A_SHARD)
    yield held.combine_chunks()


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


def _plain(value: Any) -> Any:
    """A value of a field as Arrow takes it; equal dictionaries are one, whatever their order."""
    if isinstance(value, dict):
        return sorted(value.items())
    return as_dicts(value) if isinstance(value, tuple) and value and isinstance(value[0], Message) else value


def _values(column: "pa.Array") -> list[Any]:
    """The values of a column; lists are tuples, and structures messages."""
    import pyarrow as pa

    if pa.types.is_map(column.type):
        return column.to_pylist(maps_as_pydicts="strict")
    if pa.types.is_list(column.type):
        ends = column.offsets.to_pylist()
        inner = _values(column.values)
        return [tuple(inner[start:end]) for start, end in pairwise(ends)]
    if pa.types.is_struct(column.type):
        return list(map(Message, *(_values(part) for part in column.flatten())))
    return column.to_numpy(zero_copy_only=False).tolist()
