"""Protects each caller from the others: a minute's worth, in requests and in tokens, and counts of all."""

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.documents.live import LiveKnowledge
from deploy.knowledge.hits import Hit
from deploy.server.faults import RequestError
from deploy.server.keys import new_key, write_keys
from deploy.server.limits import Limits
from tests.deploy.documents.made import live
from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.knowledge.listed import ListedKnowledge
from tests.deploy.server.conftest import ASK, QUESTION, running, serving
from tests.deploy.server.knowing import over
from tests.waiting import wait_until


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def refused(limits: Limits, caller: str) -> str | None:
    """The seconds after which `caller` may come again; None if it is let in."""
    try:
        limits.admit(caller)
    except RequestError as error:
        return error.headers["Retry-After"] if error.status == 429 else "no limit"
    return None


def test_requests_are_let_in_again_as_time_goes_by() -> None:
    clock = Clock()
    limits = Limits(requests_per_minute=3, tokens_per_minute=None, clock=clock)
    assert [refused(limits, "a") for _ in range(4)] == [None, None, None, "20"]
    assert refused(limits, "b") is None
    clock.now += 19
    assert refused(limits, "a") == "1"
    clock.now += 1
    assert [refused(limits, "a") for _ in range(2)] == [None, "20"]
    clock.now += 3600
    assert [refused(limits, "a") for _ in range(4)] == [None, None, None, "20"]


def test_tokens_may_go_below_nothing_once_and_are_waited_for() -> None:
    clock = Clock()
    limits = Limits(requests_per_minute=None, tokens_per_minute=60, clock=clock)
    assert refused(limits, "a") is None
    limits.spend("a", 90)
    assert refused(limits, "a") == "30"
    clock.now += 31
    assert refused(limits, "a") is None


def test_without_limits_nobody_is_counted() -> None:
    limits = Limits(requests_per_minute=None, tokens_per_minute=None)
    for _ in range(1000):
        limits.admit("a")
        limits.spend("a", 10**9)
    assert refused(limits, "a") is None


def test_many_callers_are_forgotten_once_they_have_been_quiet() -> None:
    clock = Clock()
    limits = Limits(requests_per_minute=1, tokens_per_minute=None, clock=clock)
    for number in range(10_001):
        limits.admit(str(number))
    clock.now += 61
    limits.admit("new")
    assert len(limits._buckets) == 1


@pytest.mark.parametrize("limit", [{"requests_per_minute": 2}, {"tokens_per_minute": 20}])
def test_who_has_asked_enough_is_told_when_to_come_again_and_others_go_on(
    limit: dict[str, int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    made = [new_key(name, "read") for name in ("one", "two")]
    write_keys(path, [key for _, key in made])
    one, two = ({"Authorization": f"Bearer {secret}"} for secret, _ in made)
    with running(ScriptedEngine({QUESTION: "word " * 30}), keys=str(path), **limit) as address:
        url = f"{address}/v1/chat/completions"
        statuses = [httpx.post(url, json=ASK, headers=one).status_code for _ in range(4)]
        assert statuses[0] == 200
        last = httpx.post(url, json={**ASK, "stream": True}, headers=one)
        assert last.status_code == statuses[-1] == 429
        assert int(last.headers["retry-after"]) >= 1
        assert last.json()["error"]["code"] == "rate_limit_exceeded"
        assert re.search(r"\d+ (requests|tokens) a minute are allowed", last.json()["error"]["message"])
        assert httpx.post(url, json=ASK, headers=two).status_code == 200


def test_searches_and_changes_of_documents_count_as_requests() -> None:
    with running(ScriptedEngine({}), requests_per_minute=2) as address:
        search = {"url": f"{address}/v1/search", "json": {"query": "kernel?"}}
        assert httpx.post(**search).status_code == 200
        assert (
            httpx.put(f"{address}/v1/documents/a", json={"text": "A bee."}).status_code == 404
        )  # fixed here
        assert httpx.post(**search).status_code == 429
        assert httpx.put(f"{address}/v1/documents/a", json={"text": "A bee."}).status_code == 429
        assert httpx.delete(f"{address}/v1/documents/a").status_code == 429


def test_more_searches_than_places_are_sent_away_and_the_places_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_on, plain = threading.Event(), ListedKnowledge.search

    def slowly(*given: Any, **named: Any) -> list[list[Hit]]:
        assert go_on.wait(30)
        return plain(*given, **named)

    monkeypatch.setattr(ListedKnowledge, "search", slowly)
    with ThreadPoolExecutor(2) as pool, running(ScriptedEngine({}), max_concurrency=1) as address:
        asked = [pool.submit(httpx.post, f"{address}/v1/search", json={"query": "?"}) for _ in range(2)]
        busy = next(as_completed(asked)).result()
        go_on.set()
        assert (busy.status_code, busy.headers["Retry-After"]) == (503, "2")
        assert sorted(each.result().status_code for each in asked) == [200, 503]
        assert httpx.post(f"{address}/v1/search", json={"query": "?"}).status_code == 200


def test_what_was_done_is_counted_without_what_was_said() -> None:
    with running(ScriptedEngine({QUESTION: "It is `1.0` [1]."})) as address:
        url = f"{address}/v1/chat/completions"
        httpx.post(url, json=ASK)
        httpx.post(url, json={**ASK, "stream": True})
        httpx.post(url, json={**ASK, "model": "canary"})
        httpx.get(f"{address}/nowhere")
        reply = httpx.get(f"{address}/metrics")
        assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
        text = reply.text
    for line in (
        'threeply_requests_total{route="/v1/chat/completions",status="200"} 2.0',
        'threeply_requests_total{route="/v1/chat/completions",status="404"} 1.0',
        'threeply_requests_total{route="other",status="404"} 1.0',
        'threeply_tokens_total{kind="completion",model="rlhf"} 8.0',
        "threeply_requests_running 0.0",
        "threeply_requests_waiting 0.0",
        'threeply_seconds_count{part="search"} 2.0',
        'threeply_seconds_count{part="first text"} 2.0',
        'threeply_seconds_count{part="answer"} 2.0',
    ):
        assert line in text.splitlines(), text
    assert "canary" not in text
    assert "svm" not in text


def test_who_waits_for_a_first_word_is_told_from_who_is_being_answered() -> None:
    goes_on = {"It": threading.Event(), "[1].": threading.Event()}

    def before_word(word: str) -> None:
        if word in goes_on:
            assert goes_on[word].wait(20)

    engine = ScriptedEngine({QUESTION: "It is `1.0` [1]."}, before_word=before_word)
    with running(engine) as address, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(httpx.post, f"{address}/v1/chat/completions", json={**ASK, "stream": True})

        def gauges() -> set[str]:
            lines = httpx.get(f"{address}/metrics").text.splitlines()
            return {line for line in lines if line.startswith("threeply_requests_") and "{" not in line}

        for word, waiting in (("It", "1.0"), ("[1].", "0.0")):
            told = {"threeply_requests_running 1.0", f"threeply_requests_waiting {waiting}"}
            wait_until(lambda told=told: gauges() == told)
            goes_on[word].set()
        assert asked.result().status_code == 200
        wait_until(lambda: gauges() == {"threeply_requests_running 0.0", "threeply_requests_waiting 0.0"})


def test_who_leaves_before_the_end_has_used_what_was_said_to_them() -> None:
    engine = ScriptedEngine({QUESTION: "word " * 4000}, before_word=lambda _: time.sleep(0.01))
    with running(engine, tokens_per_minute=10) as address:
        long = {**ASK, "stream": True, "max_tokens": 4000}
        with httpx.stream("POST", f"{address}/v1/chat/completions", json=long) as reply:
            assert "chat.completion.chunk" in next(reply.iter_lines())
        search = {"url": f"{address}/v1/search", "json": {"query": "?"}}  # takes no tokens
        wait_until(lambda: httpx.post(**search).status_code == 429)


def test_more_documents_than_places_are_sent_away_and_the_places_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, plain = threading.Event(), LiveKnowledge.put

    def slowly(*given: Any) -> int:
        assert go_on.wait(30)
        return plain(*given)

    monkeypatch.setattr(LiveKnowledge, "put", slowly)
    with ThreadPoolExecutor(5) as pool, serving(over(live(tmp_path))) as address:
        urls = [f"{address}/v1/documents/{number}" for number in range(5)]
        asked = [pool.submit(httpx.put, url, json={"text": "A bee."}, timeout=30) for url in urls]
        busy = next(as_completed(asked)).result()
        assert httpx.post(f"{address}/v1/search", json={"query": "bee"}).status_code == 200
        go_on.set()
        assert (busy.status_code, busy.headers["Retry-After"]) == (503, "5")
        assert sorted(each.result().status_code for each in asked) == [200, 200, 200, 200, 503]
        assert httpx.put(urls[0], json={"text": "A bee."}, timeout=30).status_code == 200
