"""Protects several answers to one request: each is whole, told apart, counted and rated for itself."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.feedback.store import FeedbackStore
from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.server.conftest import ASK, HITS, QUESTION, client, running
from tests.waiting import wait_until

DRAWN: dict[str, Any] = {**ASK, "max_tokens": 12, "temperature": 1.2, "seed": 4}
ANSWER = "It is `1.0` [1]."


def events(text: str) -> list[dict[str, Any]]:
    """The chunks of a stream that has ended as it should."""
    *told, done = (line.removeprefix("data: ") for line in text.strip().split("\n\n"))
    assert done == "[DONE]"
    return [json.loads(each) for each in told]


def test_the_official_client_gets_each_and_the_first_is_the_one_that_it_gets_alone(tiny: str) -> None:
    several = client(tiny).chat.completions.create(n=3, **DRAWN)
    alone = client(tiny).chat.completions.create(**DRAWN)
    texts = [choice.message.content for choice in several.choices]
    assert [choice.index for choice in several.choices] == [0, 1, 2]
    assert texts[0] == alone.choices[0].message.content
    assert len(set(texts)) == 3
    assert several.usage is not None
    assert alone.usage is not None
    assert several.usage.prompt_tokens == alone.usage.prompt_tokens
    assert several.usage.completion_tokens > 2 * alone.usage.completion_tokens - 12
    assert several.usage.completion_tokens > alone.usage.completion_tokens
    again = client(tiny).chat.completions.create(n=3, **DRAWN)
    assert [choice.message.content for choice in again.choices] == texts
    other = client(tiny).chat.completions.create(n=3, **{**DRAWN, "seed": 5})
    assert not set(texts) & {choice.message.content for choice in other.choices}


def test_their_streams_come_mixed_and_are_the_same(tiny: str) -> None:
    whole = client(tiny).chat.completions.create(n=3, **DRAWN)
    options = {"include_usage": True}
    chunks = list(client(tiny).chat.completions.create(n=3, stream=True, stream_options=options, **DRAWN))
    texts, ended, order = ["", "", ""], {}, []
    for chunk in chunks[:-1]:
        [choice] = chunk.choices
        assert choice.index not in ended
        texts[choice.index] += choice.delta.content or ""
        order.append(choice.index)
        if choice.finish_reason:
            ended[choice.index] = choice.finish_reason
    assert texts == [choice.message.content for choice in whole.choices]
    assert ended == {choice.index: choice.finish_reason for choice in whole.choices}
    assert order != sorted(order)
    assert chunks[-1].usage == whole.usage


def test_what_the_layers_did_stands_in_each_of_them_and_is_searched_once() -> None:
    searched = 0

    def once(_: str) -> None:
        nonlocal searched
        searched += 1

    engine = ScriptedEngine({QUESTION: ANSWER}, before_word=once)
    with running(engine) as address:
        url = f"{address}/v1/chat/completions"
        whole = httpx.post(url, json={**ASK, "n": 2}).json()
        told = events(httpx.post(url, json={**ASK, "n": 2, "stream": True}).text)
    assert "threeply" not in whole
    assert [choice["threeply"]["id"] for choice in whole["choices"]] == [whole["id"], f"{whole['id']}-1"]
    for choice in whole["choices"]:
        assert choice["message"]["content"] == ANSWER
        assert choice["threeply"]["citations"] == [1]
        assert len(choice["threeply"]["sources"]) == len(HITS)
    closing = [chunk["choices"][0] for chunk in told if chunk["choices"][0]["finish_reason"]]
    assert [choice["index"] for choice in closing] == [0, 1]
    assert all(choice["threeply"]["citations"] == [1] for choice in closing)


def test_each_takes_a_place_and_all_come_back() -> None:
    go_on = threading.Event()
    engine = ScriptedEngine({}, before_word=lambda _: go_on.wait(10))
    with running(engine, max_concurrency=3) as address, ThreadPoolExecutor(1) as pool:
        url = f"{address}/v1/chat/completions"
        waiting = pool.submit(httpx.post, url, json={**ASK, "n": 2})
        wait_until(lambda: len(engine.asked) == 1)
        refused = httpx.post(url, json={**ASK, "n": 2})
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "busy")
        go_on.set()
        assert waiting.result().status_code == 200
        for _ in range(20):
            assert httpx.post(url, json={**ASK, "n": 3, "max_tokens": 1}).status_code == 200
        beyond = httpx.post(url, json={**ASK, "n": 4})
        assert (beyond.status_code, beyond.json()["error"]["code"]) == (400, "too_many_choices")
        assert "3 places" in beyond.json()["error"]["message"]
        assert httpx.post(url, json={**ASK, "n": 3}).status_code == 200


def test_a_client_that_leaves_or_a_time_that_is_up_ends_all_of_them() -> None:
    spoken: list[str] = []
    engine = ScriptedEngine(
        {QUESTION: "word " * 400}, before_word=lambda word: (spoken.append(word), time.sleep(0.02))
    )
    with running(engine, max_concurrency=3, deadline_seconds=1) as address:
        url = f"{address}/v1/chat/completions"
        long = {**ASK, "max_tokens": 400, "n": 3}
        with httpx.stream("POST", url, json={**long, "stream": True}) as reply:
            next(reply.iter_lines())
        wait_until(lambda: httpx.post(url, json={**ASK, "n": 3, "max_tokens": 1}).status_code == 200)
        left = len(spoken)
        late = httpx.post(url, json=long)
        assert (late.status_code, late.json()["error"]["code"]) == (504, "deadline_exceeded")
        wait_until(lambda: httpx.post(url, json={**ASK, "n": 3, "max_tokens": 1}).status_code == 200)
    assert left < 200
    assert len(spoken) < 400


def test_what_goes_wrong_in_one_ends_the_reply() -> None:
    words = iter(range(100))

    def fail(_: str) -> None:
        if next(words) == 3:
            raise RuntimeError("secret detail")

    with running(ScriptedEngine({QUESTION: ANSWER}, before_word=fail)) as address:
        text = httpx.post(f"{address}/v1/chat/completions", json={**ASK, "n": 2, "stream": True}).text
    assert "[DONE]" not in text
    assert "secret" not in text
    assert (
        json.loads(text.strip().split("\n\n")[-1].removeprefix("data: "))["error"]["code"] == "internal_error"
    )


def test_the_prompt_is_counted_once_and_each_answer_as_a_request() -> None:
    engine = ScriptedEngine({QUESTION: ANSWER})
    with running(engine, requests_per_minute=4) as address:
        url = f"{address}/v1/chat/completions"
        usage = httpx.post(url, json={**ASK, "n": 3}).json()["usage"]
        assert usage["completion_tokens"] == 3 * len(ANSWER.split())
        assert httpx.post(url, json=ASK).status_code == 200
        assert httpx.post(url, json=ASK).status_code == 429
        lines = httpx.get(f"{address}/metrics").text.splitlines()
    for line in (
        f'threeply_tokens_total{{kind="prompt",model="rlhf"}} {2.0 * usage["prompt_tokens"]}',
        f'threeply_tokens_total{{kind="completion",model="rlhf"}} {4.0 * len(ANSWER.split())}',
        'threeply_seconds_count{part="search"} 2.0',
        'threeply_seconds_count{part="answer"} 4.0',
        "threeply_requests_running 0.0",
    ):
        assert line in lines


def test_tokens_of_a_minute_hold_for_all_of_them() -> None:
    with running(ScriptedEngine({QUESTION: "word " * 30}), tokens_per_minute=200) as address:
        url = f"{address}/v1/chat/completions"
        body = {**ASK, "n": 8, "max_tokens": 30}
        usage = httpx.post(url, json=body).json()["usage"]
        late = httpx.post(url, json=ASK)
        assert late.status_code == 429
        missing = usage["total_tokens"] - 200
        assert missing > 0
        assert int(late.headers["retry-after"]) == pytest.approx(missing * 60 / 200, abs=2)


def test_each_is_rated_by_an_id_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "feedback"
    with running(ScriptedEngine({QUESTION: ANSWER}), feedback=str(folder)) as address:
        reply = httpx.post(f"{address}/v1/chat/completions", json={**ASK, "n": 3}).json()
        names = [choice["threeply"]["id"] for choice in reply["choices"]]
        rated = [{"id": names[0], "rating": "up"}, {"id": names[2], "rating": "down", "better": "So."}]
        assert [httpx.post(f"{address}/v1/feedback", json=each).status_code for each in rated] == [200, 200]
        unknown = {"id": f"{reply['id']}-3", "rating": "up"}
        assert httpx.post(f"{address}/v1/feedback", json=unknown).status_code == 404
        assert httpx.delete(f"{address}/v1/feedback/{names[0]}").status_code == 200
    store = FeedbackStore(folder)
    try:
        assert [(each.answer.id, each.rating) for each in store.all()] == [(names[2], "down")]
    finally:
        store.close()
