"""The form that an answer is asked for in: OpenAI's `response_format`."""

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

_OBJECT = {"type": "object"}


class TextFormat(BaseModel, extra="forbid"):
    """Free text."""

    type: Literal["text"]


class ObjectFormat(BaseModel, extra="forbid"):
    """Any JSON object."""

    type: Literal["json_object"]


class NamedSchema(BaseModel, extra="forbid"):
    """A JSON schema and what it is called."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    description: str | None = None
    json_schema: Annotated[dict[str, Any], Field(alias="schema")] = _OBJECT
    strict: bool | None = None  # an answer keeps to it in any case


class SchemaFormat(BaseModel, extra="forbid"):
    """JSON that keeps to a schema."""

    type: Literal["json_schema"]
    json_schema: NamedSchema


ResponseFormat = Annotated[TextFormat | ObjectFormat | SchemaFormat, Field(discriminator="type")]


def schema_of(wanted: ResponseFormat | None) -> str | None:
    """The JSON schema, as text, that an answer in this form keeps to; None where it is free."""
    match wanted:
        case SchemaFormat():
            return json.dumps(wanted.json_schema.json_schema)
        case ObjectFormat():
            return json.dumps(_OBJECT)
        case _:
            return None
