"""Rows as Arrow tables and back, in one schema for each kind of row."""

from collections.abc import Sequence
from dataclasses import MISSING, fields, is_dataclass
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from deploy.messages import Message, as_dicts
from tasks.rows.records import (
    Document,
    Dropped,
    EvaluationItem,
    Example,
    Learned,
    Preference,
    Record,
)

if TYPE_CHECKING:
    import pyarrow as pa

RowT = TypeVar("RowT", Document, Example, Preference, Dropped, EvaluationItem, Learned)


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


def arrow_of(kind: type[Record], rows: Sequence[Record]) -> "pa.Table":
    """Rows of one kind as an Arrow table."""
    import pyarrow as pa

    found = schema(kind)
    columns = [pa.array([_plain(getattr(row, each.name)) for row in rows], each.type) for each in found]
    return pa.Table.from_arrays(columns, schema=found)


def rows_of(kind: type[RowT], table: "pa.Table") -> list[RowT]:
    """The rows of an Arrow table."""
    # Column by column: to make a dictionary of each row first takes five times as long.
    columns = [chain.from_iterable(map(_values, column.chunks)) for column in table.columns]
    names = table.schema.names
    return [kind(**dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)]


def default_of(kind: type[Record], column: "pa.Field", count: int) -> "pa.Array":
    """A column that has come since a file was written, as rows have it by default."""
    import pyarrow as pa

    (found,) = (each for each in fields(kind) if each.name == column.name)
    value = found.default if found.default_factory is MISSING else found.default_factory()
    return pa.array([_plain(value)] * count, column.type)


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
