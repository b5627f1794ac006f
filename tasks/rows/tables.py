"""Rows to Parquet and back, in one schema for each kind of row."""

from collections.abc import Iterable
from dataclasses import MISSING, asdict, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from deploy.atomic import replacing
from deploy.messages import Message
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

RowT = TypeVar("RowT", Document, Example, Preference, Dropped, EvaluationItem, Learned)
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


def write_table(path: Path, kind: type[RowT], rows: Iterable[RowT]) -> None:
    """Write `rows` of one kind to a Parquet file, atomically. Equal rows give equal bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    values = [asdict(row) for row in rows]
    for value in values:
        if "metadata" in value:
            value["metadata"] = sorted(value["metadata"].items())
    with replacing(path) as partial:
        pq.write_table(pa.Table.from_pylist(values, schema=schema(kind)), partial, compression="zstd")


def read_table(path: Path, kind: type[RowT]) -> list[RowT]:
    """The rows of a Parquet file that `write_table` wrote, with defaults for fields that have come since.

    Raises:
        SourceError: the file is missing or is not of this schema.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except FileNotFoundError:
        raise SourceError(f"{path} is not there; run the stage before this one (dvc repro)") from None
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{path} cannot be read as Parquet: {error}; delete it and run dvc repro") from None
    names, found = schema(kind).names, table.schema.names
    if found not in (names, [name for name in names if name in found or name not in _optional(kind)]):
        raise SourceError(f"{path} has columns {found}, needed are {names}")
    return [kind(**_record(row)) for row in table.to_pylist(maps_as_pydicts="strict")]


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


def _record(row: dict[str, Any]) -> dict[str, Any]:
    """The fields of a row; Arrow knows no tuples, and no messages."""
    turns = {
        name: tuple(Message(**turn) for turn in row[name]) for name in ("messages", "prompt") if name in row
    }
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()} | turns
