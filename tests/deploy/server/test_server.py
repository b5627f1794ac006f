"""Protects the interface: the official OpenAI client against a really running server."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai import OpenAI

from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.server.conftest import ASK, QUESTION, client, running
from tests.waiting import wait_until


@pytest.mark.parametrize("model", ["base", "sft", "rlhf"])
def test_a_stream_equals_the_whole_reply(tiny: str, model: str) -> None:
    openai = client(tiny)
    whole = openai.chat.completions.create(model=model, messages=ASK["messages"], max_tokens=12)  # type: ignore[call-overload]
    chunks = list(
        openai.chat.completions.create(  # type: ignore[call-overload]
            model=model,
            messages=ASK["messages"],
            max_tokens=12,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage
    assert chunks[-2].choices[0].finish_reason == whole.choices[0].finish_reason
    assert chunks[-2].threeply["sources"] == whole.threeply["sources"]


def test_the_token_counts_are_those_of_the_model(tiny: str, tiny_base: Path) -> None:
    from deploy.engines.chat import load_tokenizer, prompt_ids
    from deploy.messages import Message

    reply = client(tiny).chat.completions.create(
        model="base",
        messages=[{"role": "system", "content": "Be short."}, {"role": "user", "content": QUESTION}],
        max_tokens=5,
        extra_body={"threeply": {"layers": {"prompt": False, "retrieval": False}}},
    )
    prompt = prompt_ids(
        load_tokenizer(tiny_base), [Message("system", "Be short."), Message("user", QUESTION)]
    )
    assert reply.usage is not None
    assert reply.usage.prompt_tokens == len(prompt)
    assert reply.usage.completion_tokens == 5
    assert reply.choices[0].finish_reason == "length"


def test_a_seed_fixes_a_sampled_reply(tiny: str) -> None:
    def text(seed: int) -> str | None:
        reply = client(tiny).chat.completions.create(
            model="base",
            messages=[{"role": "user", "content": QUESTION}],
            temperature=1.5,
            top_p=0.95,
            seed=seed,
        )
        return reply.choices[0].message.content

    assert text(1) == text(1) != text(2)


def test_two_adapters_asked_at_once_answer_as_if_asked_in_turn(tiny: str) -> None:
    asked = [(model, f"{QUESTION} {n}") for n in range(4) for model in ("sft", "rlhf")]

    def text(each: tuple[str, str]) -> str | None:
        messages: Any = [{"role": "user", "content": each[1]}]
        reply = client(tiny).chat.completions.create(model=each[0], messages=messages)
        return reply.choices[0].message.content

    alone = [text(each) for each in asked]
    with ThreadPoolExecutor(len(asked)) as pool:
        assert list(pool.map(text, asked)) == alone
    assert not set(alone[::2]) & set(alone[1::2])


def test_only_sources_that_were_shown_are_citations(scripted: str) -> None:
    reply = httpx.post(f"{scripted}/v1/chat/completions", json=ASK).json()
    assert reply["choices"][0]["message"]["content"] == "It is `1.0` [1] [7]."
    assert reply["threeply"]["citations"] == [1]
    assert [source["title"] for source in reply["threeply"]["sources"]] == ["svm.SVC", "svm.NuSVC"]
    assert reply["threeply"]["left_out"] == 0
    assert reply["threeply"]["layers"] == {"prompt": True, "retrieval": True}
    assert reply["threeply"]["timings"]["total_ms"] >= 0


def test_layers_can_be_switched_off() -> None:
    engine = ScriptedEngine({})
    with running(engine) as address:
        for prompt, retrieval in ((False, False), (False, True), (True, False), (True, True)):
            layers = {"layers": {"prompt": prompt, "retrieval": retrieval}}
            reply = httpx.post(f"{address}/v1/chat/completions", json={**ASK, "threeply": layers}).json()
            assert len(reply["threeply"]["sources"]) == (2 if retrieval else 0)
    bare, retrieved, prompted, both = engine.asked
    assert [m.content for m in bare] == [QUESTION]
    assert [m.role for m in retrieved] == ["user"]
    assert "C=1.0 : float" in retrieved[0].content
    assert [m.role for m in prompted] == [m.role for m in both] == ["system", "user"]


def test_models_and_health(scripted: str) -> None:
    assert [model.id for model in client(scripted).models.list()] == ["base", "sft", "rlhf"]
    assert client(scripted).models.retrieve("sft").id == "sft"
    health = httpx.get(f"{scripted}/healthz").json()
    assert health["bundle"] == "tiny"
    assert health["manifest"] == "0123456789abcdef"


def test_what_changes_nothing_is_accepted(scripted: str) -> None:
    harmless = {
        "n": 1,
        "frequency_penalty": 0,
        "logprobs": False,
        "user": "me",
        "response_format": {"type": "text"},
    }
    reply = httpx.post(f"{scripted}/v1/chat/completions", json={**ASK, **harmless})
    assert reply.status_code == 200


def test_more_requests_than_places_get_a_503_and_the_places_come_back() -> None:
    go_on = threading.Event()
    engine = ScriptedEngine({}, before_word=lambda _: go_on.wait(10))
    with running(engine, max_concurrency=2) as address, ThreadPoolExecutor(2) as pool:
        url = f"{address}/v1/chat/completions"
        waiting = [pool.submit(httpx.post, url, json=ASK) for _ in range(2)]
        wait_until(lambda: len(engine.asked) == 2)
        refused = httpx.post(url, json=ASK)
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "2"
        go_on.set()
        assert [one.result().status_code for one in waiting] == [200, 200]
        assert httpx.post(url, json=ASK).status_code == 200


def test_openai_s_own_retries_bring_more_clients_through_than_there_are_places() -> None:
    together = threading.Barrier(4)  # the places are full before the first answer
    engine = ScriptedEngine({}, before_word=lambda _: together.wait(10) if len(engine.asked) <= 4 else None)

    def ask(address: str) -> str:
        with OpenAI(base_url=f"{address}/v1", api_key="none") as usual:
            reply = usual.chat.completions.create(model="rlhf", messages=ASK["messages"])
        return reply.choices[0].message.content or ""

    with running(engine, max_concurrency=4) as address, ThreadPoolExecutor(12) as pool:
        assert set(pool.map(ask, [address] * 12)) == {"The documentation does not say."}


def test_a_client_that_leaves_ends_its_generation() -> None:
    spoken: list[str] = []
    engine = ScriptedEngine(
        {QUESTION: "word " * 400}, before_word=lambda word: (spoken.append(word), time.sleep(0.02))
    )
    with running(engine, max_concurrency=1) as address:
        url = f"{address}/v1/chat/completions"
        long = {**ASK, "max_tokens": 400}
        with httpx.stream("POST", url, json={**long, "stream": True}) as reply:
            next(reply.iter_lines())
        wait_until(lambda: is_free(url))
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(url, json=long, timeout=0.3)
        wait_until(lambda: is_free(url))
    assert len(spoken) < 200


def test_an_error_inside_a_stream_ends_it_with_an_error_event() -> None:
    def fail(word: str) -> None:
        if word == "boom":
            raise RuntimeError("secret detail")

    engine = ScriptedEngine({QUESTION: "well boom never"}, before_word=fail)
    with running(engine) as address:
        url = f"{address}/v1/chat/completions"
        events = httpx.post(url, json={**ASK, "stream": True}).text.strip().split("\n\n")
        last = json.loads(events[-1].removeprefix("data: "))
        assert last["error"]["type"] == "server_error"
        assert "secret" not in events[-1]
        assert "[DONE]" not in events
        assert httpx.post(url, json=ASK).status_code == 500


def is_free(url: str) -> bool:
    return httpx.post(url, json={**ASK, "max_tokens": 1}).status_code == 200
