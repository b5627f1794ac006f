"""Protects the routes on ratings: each is of an answer that was really given, to who rates it."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.feedback.store import FILE
from deploy.server.keys import new_key, write_keys
from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.feedback.made import kept
from tests.deploy.server.conftest import ASK, HITS, QUESTION, running

ANSWER = "It is `1.0` [1] [7]."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the ratings are kept."""
    return tmp_path / "feedback"


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    with running(ScriptedEngine({QUESTION: ANSWER}), feedback=str(folder)) as where:
        yield where


def answered(address: str, **changes: Any) -> str:
    """The id of an answer."""
    headers = changes.pop("headers", {})
    reply = httpx.post(f"{address}/v1/chat/completions", json={**ASK, **changes}, headers=headers)
    name: str = reply.json()["id"]
    return name


def rate(address: str, name: str, rating: str, **more: Any) -> httpx.Response:
    headers = more.pop("headers", {})
    return httpx.post(f"{address}/v1/feedback", json={"id": name, "rating": rating, **more}, headers=headers)


def error(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["error"]["code"]


def test_a_rating_is_kept_with_the_answer_as_it_was_given(address: str, folder: Path) -> None:
    turns = [{"role": "system", "content": "Be short."}, *ASK["messages"]]  # type: ignore[misc]
    layers = {"layers": {"prompt": True, "retrieval": True}}
    name = answered(address, messages=turns, threeply=layers)
    assert kept(folder) == []
    reply = rate(address, name, "down", better="It is 1.0.")
    assert reply.status_code == 200
    assert reply.json() == {"id": name, "object": "feedback", "rating": "down", "better": "It is 1.0."}
    [found] = kept(folder)
    assert (found.rating, found.better) == ("down", "It is 1.0.")
    answer = found.answer
    assert (answer.id, answer.text, answer.model, answer.release) == (name, ANSWER, "rlhf", "0123456789ab")
    assert [(turn.role, turn.content) for turn in answer.conversation] == [
        ("system", "Be short."),
        ("user", QUESTION),
    ]
    assert answer.citations == (1,)
    assert [(source.document, source.text) for source in answer.sources] == [
        (hit.document, hit.text) for hit in HITS
    ]


def test_a_streamed_answer_is_rated_by_the_id_of_its_chunks(address: str, folder: Path) -> None:
    text = httpx.post(f"{address}/v1/chat/completions", json={**ASK, "stream": True}).text
    names = {json.loads(line[6:])["id"] for line in text.splitlines() if line.startswith("data: {")}
    [name] = names
    assert rate(address, name, "up").status_code == 200
    assert [(each.answer.id, each.answer.text) for each in kept(folder)] == [(name, ANSWER)]


def test_a_later_rating_replaces_the_earlier_and_can_be_withdrawn(address: str, folder: Path) -> None:
    name = answered(address)
    rate(address, name, "down", better="canary-7431")
    assert rate(address, name, "up").json()["better"] is None
    assert [(each.rating, each.better) for each in kept(folder)] == [("up", None)]
    gone = httpx.delete(f"{address}/v1/feedback/{name}")
    assert gone.json() == {"id": name, "object": "feedback", "deleted": True}
    assert kept(folder) == []
    assert b"canary" not in (folder / FILE).read_bytes()
    assert error(httpx.delete(f"{address}/v1/feedback/{name}")) == (404, "answer_not_found")
    assert rate(address, name, "up").status_code == 200  # thought better of


def test_what_a_client_claims_of_an_answer_is_refused(address: str, folder: Path) -> None:
    name = answered(address)
    for claim in ({"answer": "I rule."}, {"messages": []}, {"model": "base"}, {"sources": []}):
        assert error(rate(address, name, "down", **claim)) == (400, "invalid_value")
    assert kept(folder) == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"rating": "up"}, "id: Field required"),
        ({"id": "x"}, "rating: Field required"),
        ({"id": "x", "rating": "sideways"}, "rating: Input should be 'up' or 'down'"),
        ({"id": "x", "rating": 1}, "rating: Input should be 'up' or 'down'"),
        ({"id": ["x"], "rating": "up"}, "id: Input should be a valid string"),
        ({"id": "", "rating": "up"}, "id: String should have at least 1 character"),
        ({"id": "x", "rating": "down", "better": " \n"}, "better: String should match pattern"),
        ({"id": "x", "rating": "down", "better": 7}, "better: Input should be a valid string"),
        ({"id": "x", "rating": "up", "better": "So."}, "send it with the rating down"),
        ({"id": "x", "rating": "down", "better": "y" * 3001}, "3001 characters; at most 3000 are kept"),
    ],
)
def test_what_is_no_rating_is_refused_with_what_to_do(
    address: str, body: dict[str, object], message: str
) -> None:
    reply = httpx.post(f"{address}/v1/feedback", json=body)
    assert reply.status_code == 400, reply.text
    assert message in reply.json()["error"]["message"]


def test_half_a_character_what_is_no_json_and_absurd_sizes_are_refused(address: str, folder: Path) -> None:
    name = answered(address)
    url, headers = f"{address}/v1/feedback", {"Content-Type": "application/json"}
    half = json.dumps({"id": name, "rating": "down", "better": "a \ud83e"})
    for content in (half, "no json", "[" * 3000, "null", "[]"):
        reply = httpx.post(url, content=content, headers=headers)
        assert reply.status_code == 400, reply.text
    assert httpx.post(url, content=half, headers={"Content-Type": "text/plain"}).status_code == 415
    assert rate(address, name, "down", better="x" * 5000).status_code == 413
    long = rate(address, "x" * 3000, "up")
    assert error(long) == (404, "answer_not_found")
    assert len(long.text) < 600
    assert kept(folder) == []


def test_an_id_that_nobody_was_given_is_not_found(address: str) -> None:
    for name in ("chatcmpl-0", "' OR 1=1 --", "../../etc/passwd", "a\x00b"):
        assert error(rate(address, name, "up")) == (404, "answer_not_found")
    assert error(httpx.delete(f"{address}/v1/feedback/chatcmpl-0")) == (404, "answer_not_found")


def test_nobody_rates_or_withdraws_for_another_key(folder: Path, tmp_path: Path) -> None:
    made = {name: new_key(name, "admin" if name == "ops" else "read") for name in ("anna", "ben", "ops")}
    write_keys(tmp_path / "keys.json", [key for _, key in made.values()])
    anna, ben, ops = ({"Authorization": f"Bearer {secret}"} for secret, _ in made.values())
    engine, keys = ScriptedEngine({QUESTION: ANSWER}), str(tmp_path / "keys.json")
    with running(engine, feedback=str(folder), keys=keys) as address:
        name = answered(address, headers=anna)
        assert rate(address, name, "up").status_code == 401
        for other in (ben, ops):
            assert error(rate(address, name, "down", headers=other)) == (404, "answer_not_found")
        assert rate(address, name, "up", headers=anna).status_code == 200
        for other in (ben, ops):
            assert error(rate(address, name, "down", headers=other)) == (404, "answer_not_found")
            gone = httpx.delete(f"{address}/v1/feedback/{name}", headers=other)
            assert error(gone) == (404, "answer_not_found")
    assert [each.rating for each in kept(folder)] == ["up"]
    with running(engine, feedback=str(folder), keys=keys) as address:  # started anew, it remembers no answer
        assert error(rate(address, name, "down", headers=ben)) == (404, "answer_not_found")
        assert rate(address, name, "down", better="So.", headers=anna).status_code == 200
        assert httpx.delete(f"{address}/v1/feedback/{name}", headers=ben).status_code == 404
    assert [(each.rating, each.better, each.answer.text) for each in kept(folder)] == [
        ("down", "So.", ANSWER)
    ]


def test_ratings_count_as_requests(folder: Path) -> None:
    engine = ScriptedEngine({QUESTION: ANSWER})
    with running(engine, feedback=str(folder), requests_per_minute=3) as address:
        name = answered(address)
        assert [rate(address, name, "up").status_code for _ in range(3)] == [200, 200, 429]


def test_where_a_rating_cannot_be_kept_it_is_said_and_why_only_to_who_runs_the_server(
    address: str, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    name = answered(address)
    with sqlite3.connect(folder / FILE) as other:
        other.execute("DROP TABLE ratings")
    other.close()
    for reply in (rate(address, name, "up"), httpx.delete(f"{address}/v1/feedback/{name}")):
        assert error(reply) == (503, "not_kept")
        assert str(folder) not in reply.text
    assert "cannot be changed: no such table" in caplog.text
    assert httpx.post(f"{address}/v1/chat/completions", json=ASK).status_code == 200


def test_where_nobody_is_asked_it_is_said_and_nothing_is_remembered(scripted: str) -> None:
    name = answered(scripted)
    for reply in (rate(scripted, name, "up"), httpx.delete(f"{scripted}/v1/feedback/{name}")):
        assert error(reply) == (404, "feedback_is_off")
        assert "serve.feedback in params.yaml is null" in reply.json()["error"]["message"]


def test_health_tells_whether_people_are_asked(address: str, scripted: str) -> None:
    assert [httpx.get(f"{where}/healthz").json()["feedback"] for where in (address, scripted)] == [
        True,
        False,
    ]
