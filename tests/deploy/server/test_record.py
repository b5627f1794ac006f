"""Protects the log of requests: one line of JSON each, and words only where they are asked for."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.server.keys import new_key, write_keys
from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.server.conftest import ASK, QUESTION, running

SAID = "It is `1.0` [1]."


@pytest.fixture
def lines(capfd: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    """What has been logged of requests as JSON."""
    return lambda: [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]


def test_a_line_says_who_asked_and_what_it_took_but_not_what_was_said(
    lines: Callable[[], list[dict[str, Any]]], tmp_path: Path
) -> None:
    secret, key = new_key("anna", "read")
    write_keys(tmp_path / "keys.json", [key])
    with running(ScriptedEngine({QUESTION: SAID}), log="json", keys=tmp_path / "keys.json") as address:
        headers = {"Authorization": f"Bearer {secret}"}
        reply = httpx.post(f"{address}/v1/chat/completions", json=ASK, headers=headers).raise_for_status()
        assert httpx.post(f"{address}/v1/chat/completions", json=ASK).status_code == 401
    answered, refused = lines()
    assert (answered["method"], answered["path"], answered["status"]) == ("POST", "/v1/chat/completions", 200)
    assert answered["caller"] == "anna"
    [answer] = answered["answers"]
    assert (answer["id"], answer["model"]) == (reply.json()["id"], "rlhf")
    assert answer["completion_tokens"] == reply.json()["usage"]["completion_tokens"]
    assert 0 <= answer["seconds"] <= answered["seconds"]
    assert (refused["status"], refused["caller"], refused["answers"]) == (401, None, [])
    for told in (QUESTION, SAID, secret):
        assert told not in json.dumps([answered, refused])


@pytest.mark.parametrize("stream", [False, True])
def test_what_was_said_stands_there_where_it_is_asked_for(
    lines: Callable[[], list[dict[str, Any]]], stream: bool
) -> None:
    with running(ScriptedEngine({QUESTION: SAID}), log="json_with_texts") as address:
        httpx.post(f"{address}/v1/chat/completions", json={**ASK, "stream": stream}).raise_for_status()
    [line] = lines()
    [answer] = line["answers"]
    assert answer["messages"] == ASK["messages"]
    assert (answer["answer"], answer["sources"]) == (SAID, ["a", "b"])


def test_plain_text_is_uvicorns_own_line(lines: Callable[[], list[dict[str, Any]]]) -> None:
    with running(ScriptedEngine({QUESTION: SAID})) as address:
        httpx.post(f"{address}/v1/chat/completions", json=ASK).raise_for_status()
    assert lines() == []
