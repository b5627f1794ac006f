"""The page /api: the server's own description, drawn for people. It loads nothing and runs nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from deploy.server.described import readable
from deploy.server.guard import needed

_TEMPLATE = Path(__file__).with_name("manual.html")
_PLAIN = {"string": "text", "boolean": "true or false", "object": "object", "null": "null"}
Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of what is said of a value; `target` is the object that it names, if it names one."""

    text: str
    target: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of an object: what it may be, and what it is where it is left out."""

    name: str
    required: bool
    words: Sequence[Word]
    default: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route: what it is for, the scope that a key needs, the object that it reads."""

    method: str
    path: str
    summary: str
    scope: str | None
    body: str | None


def add_manual(app: FastAPI, description: Callable[[], Schema]) -> None:
    """Give `app` the page at /api, which draws its `description`."""

    async def manual() -> HTMLResponse:
        return HTMLResponse(manual_page(description()))

    readable(app, "/api", include_in_schema=False)(manual)


def manual_page(description: Schema) -> str:
    """The HTML of the page that draws an OpenAPI `description` of ours."""
    from jinja2 import Template

    template = Template(_TEMPLATE.read_text(encoding="utf-8"), autoescape=True, trim_blocks=True)
    objects = description["components"]["schemas"]
    return template.render(
        title=description["info"]["title"],
        keyed="security" in description,
        routes=routes(description),
        objects={name: (schema.get("description", ""), fields(schema)) for name, schema in objects.items()},
    )


def routes(description: Schema) -> list[Route]:
    """The routes of the description, in the order of their paths."""
    return [
        Route(
            method=method.upper(),
            path=path,
            summary=operation.get("summary", ""),
            scope=needed(method.upper(), path),
            body=_body(operation),
        )
        for path, operations in sorted(description["paths"].items())
        for method, operation in sorted(operations.items())
    ]


def fields(schema: Schema) -> list[Field]:
    """The fields of an object, those that are needed before the others."""
    needs = schema.get("required", [])
    found = [
        Field(name=name, required=name in needs, words=words(value), default=value.get("default"))
        for name, value in schema.get("properties", {}).items()
    ]
    return sorted(found, key=lambda field: not field.required)


def words(schema: Schema) -> list[Word]:
    """What a value of this schema is, in words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return [Word(name, name)]
    if parts := schema.get("anyOf") or schema.get("oneOf"):
        said = [words(part) for part in parts]
        return [word for at, part in enumerate(said) for word in (*([Word(" or ")] if at else []), *part)]
    if "const" in schema or "enum" in schema:
        values = schema.get("enum", [schema.get("const")])
        return [Word(" or ".join(f"“{value}”" for value in values))]
    kind: str = schema.get("type", "anything")
    if kind == "array":
        return [Word("list of "), *words(schema.get("items", {})), Word(_count(schema, "Items", "of them"))]
    if kind in ("integer", "number"):
        return [Word(("whole number" if kind == "integer" else "number") + _range(schema))]
    like = f", like {schema['pattern']}" if "pattern" in schema else ""
    return [Word(_PLAIN.get(kind, kind) + _count(schema, "Length", "characters") + like)]


def _body(operation: Schema) -> str | None:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    return content["schema"]["$ref"].rpartition("/")[2] if content else None


def _count(schema: Schema, what: str, unit: str) -> str:
    least, most = schema.get(f"min{what}"), schema.get(f"max{what}")
    if most is None:
        return "" if not least else f", at least {least} {unit}"
    return f", at most {most} {unit}" if not least else f", {least} to {most} {unit}"


def _range(schema: Schema) -> str:
    said = [
        ("minimum", "from"),
        ("exclusiveMinimum", "above"),
        ("maximum", "to"),
        ("exclusiveMaximum", "below"),
    ]
    return "".join(
        f" {word} {schema[key]:g}" for key, word in said if key in schema and abs(schema[key]) < 2**53
    )
