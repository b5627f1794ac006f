"""Protects the server from its clients: what is refused, how it is said, and what stays only text."""

import json
from typing import Any

import httpx
import pytest
from openai import BadRequestError, NotFoundError

from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.server.conftest import ASK, client, running


def test_an_unknown_model_is_a_404_in_the_shape_of_openai(scripted: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        client(scripted).chat.completions.create(model="gpt-9", messages=[{"role": "user", "content": "hi"}])
    assert caught.value.code == "model_not_found"
    assert "base, sft, rlhf" in str(caught.value)


def test_a_prompt_beyond_the_context_is_a_400(tiny: str) -> None:
    for stream in (False, True):
        with pytest.raises(BadRequestError) as caught:
            client(tiny).chat.completions.create(
                model="base", messages=[{"role": "user", "content": "word " * 600}], stream=stream
            )
        assert caught.value.code == "context_length_exceeded"


@pytest.mark.parametrize(
    ("change", "status", "named"),
    [
        ({"chat_template": "{{ 7*7 }}"}, 400, "chat_template"),
        ({"chat_template_kwargs": {}}, 400, "chat_template_kwargs"),
        ({"n": 9}, 400, "n"),
        ({"n": 0}, 400, "n"),
        ({"tools": [{"type": "function"}]}, 400, "tools"),
        ({"logprobs": 3}, 400, "logprobs"),
        ({"top_logprobs": 3}, 400, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, 400, "top_logprobs"),
        ({"best_of": 3}, 400, "best_of"),
        ({"temperature": 3}, 400, "temperature"),
        ({"max_tokens": 0}, 400, "max_tokens"),
        ({"max_tokens": 10**6}, 400, "max_tokens"),
        ({"stop": ["a", "b", "c", "d", "e"]}, 400, "stop"),
        ({"messages": []}, 400, "messages"),
        ({"messages": [{"role": "user", "content": "a"}] * 7}, 400, "messages"),
        ({"messages": [{"role": "assistant", "content": "a"}]}, 400, "messages"),
        ({"messages": [{"role": "tool", "content": "a"}]}, 400, "messages.0.role"),
        ({"messages": [{"role": "user", "content": "x" * 5000}]}, 413, None),
        ({"threeply": {"layers": {"prompt": "no"}}}, 400, "threeply.layers.prompt"),
        ({"threeply": {"template": "x"}}, 400, "threeply.template"),
    ],
)
def test_what_is_refused_is_named(
    scripted: str, change: dict[str, Any], status: int, named: str | None
) -> None:
    reply = httpx.post(f"{scripted}/v1/chat/completions", json={**ASK, **change})
    assert reply.status_code == status, reply.text
    error = reply.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert (error["param"] or "").startswith(named or "")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"[" * 3000, b'"text"', b"\xff\xfe"])
def test_a_body_that_is_no_request_is_a_400(scripted: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    reply = httpx.post(f"{scripted}/v1/chat/completions", content=body, headers=headers)
    assert reply.status_code == 400
    assert reply.json()["error"]["code"] == "invalid_json"


def test_a_form_on_a_foreign_page_cannot_ask(scripted: str) -> None:
    headers = {"Content-Type": "text/plain", "Origin": "https://elsewhere.example"}
    reply = httpx.post(f"{scripted}/v1/chat/completions", content=json.dumps(ASK), headers=headers)
    assert reply.status_code == 415
    assert "access-control-allow-origin" not in reply.headers


PAYLOADS = ["{{ 7*7 }}", "{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}", "${7*7}"]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_template_code_in_a_message_is_only_text(payload: str) -> None:
    engine = ScriptedEngine({})
    with running(engine) as address:
        messages = [
            {"role": "system", "content": payload},
            {"role": "user", "content": payload},
            {"role": "assistant", "content": payload},
            {"role": "user", "content": payload},
        ]
        assert httpx.post(f"{address}/v1/chat/completions", json={**ASK, "messages": messages}).is_success
    [asked] = engine.asked
    assert [message.role for message in asked] == ["system", "user", "assistant", "user"]
    assert all(payload in message.content for message in asked)


def test_the_page_may_load_nothing_from_elsewhere(scripted: str) -> None:
    page = httpx.get(scripted)
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert httpx.get(f"{scripted}/page/..%2fapp.py").status_code == 404
