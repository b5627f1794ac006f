"""Protects answers in a form: the official client gets what its schema says, and a wrong one is named."""

import json
from typing import Annotated, Any, Literal

import httpx
import pytest
from pydantic import BaseModel, Field

from tests.deploy.server.conftest import client

QUESTION = "Which kernel is the default?"
ASK: dict[str, Any] = {"messages": [{"role": "user", "content": QUESTION}], "max_tokens": 60}


class Kernel(BaseModel):
    """What is asked for."""

    kernel: Literal["linear", "rbf"]
    degree: Annotated[int, Field(ge=0, le=9)] | None
    known: bool


def test_the_official_client_parses_what_a_model_at_random_says(tiny: str) -> None:
    reply = client(tiny).chat.completions.parse(model="sft", response_format=Kernel, **ASK)
    parsed = reply.choices[0].message.parsed
    assert parsed is not None
    assert parsed.kernel in ("linear", "rbf")


def test_a_stream_keeps_to_it_as_well(tiny: str) -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "kernel", "schema": Kernel.model_json_schema()}}
    chunks = client(tiny).chat.completions.create(model="sft", stream=True, response_format=wanted, **ASK)
    Kernel.model_validate_json("".join(chunk.choices[0].delta.content or "" for chunk in chunks))


def test_any_object_will_do_where_no_schema_is_given(tiny: str) -> None:
    # Whatever it is: a tiny model at random would talk inside of it until it is cut.
    reply = httpx.post(
        f"{tiny}/v1/chat/completions", json={**ASK, "response_format": {"type": "json_object"}}
    )
    [choice] = reply.json()["choices"]
    assert choice["message"]["content"].startswith("{")
    if choice["finish_reason"] == "stop":
        assert isinstance(json.loads(choice["message"]["content"]), dict)


@pytest.mark.parametrize(
    ("wanted", "code", "parameter"),
    [
        ({"type": "xml"}, "invalid_value", "response_format"),
        ({"type": "json_schema"}, "invalid_value", "response_format.json_schema.json_schema"),
        (
            {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "nothing"}}},
            "invalid_schema",
            "response_format",
        ),
        (
            {"type": "json_schema", "json_schema": {"name": "a", "schema": {"not": {}}}},
            "invalid_schema",
            "response_format",
        ),
    ],
    ids=["unknown form", "no schema", "no type", "cannot be kept to"],
)
def test_a_form_that_is_none_is_refused_by_name(
    tiny: str, wanted: dict[str, Any], code: str, parameter: str
) -> None:
    reply = httpx.post(f"{tiny}/v1/chat/completions", json={**ASK, "response_format": wanted})
    assert reply.status_code == 400
    assert reply.json()["error"]["code"] == code
    assert reply.json()["error"]["param"] == parameter
