"""Shapes of records, and what every kind of row takes from its record, under whatever name."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from deploy.messages import Message
from tasks.prepare.collect.identifiers import identifier
from tasks.prepare.collect.values import WrongShapeError, as_text
from tasks.rows.identity import prompt_key
from tasks.rows.records import RowKind

ShapeName = Literal[
    "messages",
    "ranking",
    "comparison",
    "preference",
    "alpaca",
    "prompt+completion",
    "text+label",
    "document",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A shape as it is in one file: `columns` maps what is needed to the names it has there.

    `keep` names columns that go along with each row.
    """

    name: ShapeName
    kind: RowKind
    columns: Mapping[str, str]
    keep: Sequence[str] = ()

    def value(self, values: Mapping[str, Any], column: str) -> Any:
        """What a record holds under `column`, None where it has no such column."""
        return values.get(self.columns.get(column, column))


def text_of(shape: Shape, values: Mapping[str, Any], column: str) -> str:
    """What stands in a column that every record has."""
    check_present(shape, values, column)
    return as_text(shape.value(values, column), shape.columns.get(column, column))


def check_present(shape: Shape, values: Mapping[str, Any], *columns: str) -> None:
    """A column that is not there is a fault of shape; one that is there without a value is empty text."""
    for column in columns:
        if (name := shape.columns.get(column, column)) not in values:
            raise WrongShapeError(f"there is no {name}")


def named(value: Any) -> str:
    """A given name as text; empty where there is none.

    A whole number that stands as a float is the number: tables write it so once one of them is missing.
    """
    if isinstance(value, float):
        if not math.isfinite(value):
            return ""
        value = int(value) if value.is_integer() else value
    return "" if value is None or isinstance(value, bool | list | dict) else str(value)


def evidence(shape: Shape, values: Mapping[str, Any]) -> tuple[str, ...]:
    """The given names of the documents that answer."""
    value = shape.value(values, "evidence")
    listed = value if isinstance(value, list) else [value]
    return tuple(name for document in listed if (name := named(document)))


def task(shape: Shape, values: Mapping[str, Any]) -> str:
    """The given task, which says how answers are scored; else `label` where they are labels, or `chat`."""
    given = shape.value(values, "task")
    if isinstance(given, str) and given.strip():
        return given.strip()
    return "label" if shape.name == "text+label" else "chat"


def held_out(shape: Shape, values: Mapping[str, Any]) -> str:
    """The given name of what the row is held out for; else it may be trained on."""
    given = shape.value(values, "held_out")
    if given is not None and not isinstance(given, str):  # `true` would be trained on, and no one would know
        raise WrongShapeError(f"held_out is a {type(given).__name__}, not a name")
    return given.strip() if given else ""


def metadata(shape: Shape, values: Mapping[str, Any]) -> dict[str, str]:
    """What the columns to keep hold, as text; one without a value is left out."""
    kept = {name: values.get(name) for name in shape.keep}
    return {name: str(value) for name, value in kept.items() if value not in (None, "")}


def row_id(shape: Shape, values: Mapping[str, Any], source: str, *content: str) -> str:
    """The given id under the name of its file, since two files may count from 1; else one from content."""
    given = named(shape.value(values, "id"))
    return f"{source}:{given}" if given else identifier(source, *content)


def group(shape: Shape, values: Mapping[str, Any], prompt: Sequence[Message]) -> str:
    """The given group; else rows with the same prompt are a group."""
    return named(shape.value(values, "group")) or identifier(prompt_key(prompt))
