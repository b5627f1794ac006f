"""Protects the interface: the official OpenAI client against a really running server, and what is refused."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai import BadRequestError, NotFoundError, OpenAI

from deploy.engines.local import TransformersEngine
from deploy.engines.scripted import ScriptedEngine
from deploy.knowledge.hits import Hit
from deploy.knowledge.listed import ListedKnowledge

QUESTION = "In `svm.SVC`, what is the default of `C`?"
HITS = [
    Hit(chunk=1, document="a", uri="py:svm.SVC@1", title="svm.SVC", text="svm.SVC\nC=1.0 : float", score=0.9),
    Hit(chunk=2, document="b", uri="py:svm.NuSVC@1", title="svm.NuSVC", text="svm.NuSVC nu=0.5", score=0.4),
]
ASK = {"model": "rlhf", "messages": [{"role": "user", "content": QUESTION}]}


def client(address: str) -> OpenAI:
    return OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)


@pytest.fixture(scope="module")
def tiny(tiny_base: Path, tiny_adapters: dict[str, Path], running: Any) -> Iterator[str]:
    """The address of a server with a tiny model, its adapters and two sources."""
    engine = TransformersEngine(tiny_base, tiny_adapters)
    with running(engine, ListedKnowledge(HITS)) as address:
        yield address


@pytest.fixture(scope="module")
def scripted(running: Any) -> Iterator[str]:
    """The address of a server that cites source 1 and a source 7 that it never saw."""
    engine = ScriptedEngine({QUESTION: "It is `1.0` [1] [7]."})
    with running(engine, ListedKnowledge(HITS)) as address:
        yield address


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

    def text(model: str, question: str) -> str | None:
        messages: Any = [{"role": "user", "content": question}]
        return client(tiny).chat.completions.create(model=model, messages=messages).choices[0].message.content

    alone = [text(*each) for each in asked]
    found: dict[int, str | None] = {}
    threads = [
        threading.Thread(target=lambda place=place: found.update({place: text(*asked[place])}))  # type: ignore[misc]
        for place in range(len(asked))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[place] for place in range(len(asked))] == alone
    assert not set(alone[::2]) & set(alone[1::2])


def test_only_sources_that_were_shown_are_citations(scripted: str) -> None:
    reply = httpx.post(f"{scripted}/v1/chat/completions", json=ASK).json()
    assert reply["choices"][0]["message"]["content"] == "It is `1.0` [1] [7]."
    assert reply["threeply"]["citations"] == [1]
    assert [source["title"] for source in reply["threeply"]["sources"]] == ["svm.SVC", "svm.NuSVC"]
    assert reply["threeply"]["layers"] == {"prompt": True, "retrieval": True}
    assert reply["threeply"]["timings"]["total_ms"] >= 0


def test_layers_can_be_switched_off(running: Any) -> None:
    engine = ScriptedEngine({})
    with running(engine, ListedKnowledge(HITS)) as address:
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
        ({"n": 2}, 400, "n"),
        ({"tools": [{"type": "function"}]}, 400, "tools"),
        ({"logprobs": True}, 400, "logprobs"),
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


def test_more_requests_than_places_get_a_503_and_the_places_come_back(running: Any) -> None:
    go_on = threading.Event()
    engine = ScriptedEngine({}, before_word=lambda _: go_on.wait(10))
    with running(engine, ListedKnowledge(HITS), max_concurrency=2) as address:
        url = f"{address}/v1/chat/completions"
        waiting = [threading.Thread(target=httpx.post, args=(url,), kwargs={"json": ASK}) for _ in range(2)]
        for thread in waiting:
            thread.start()
        wait_until(lambda: len(engine.asked) == 2)
        refused = httpx.post(url, json=ASK)
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "2"
        go_on.set()
        for thread in waiting:
            thread.join()
        assert httpx.post(url, json=ASK).status_code == 200


def test_a_client_that_leaves_ends_its_generation(running: Any) -> None:
    spoken: list[str] = []
    engine = ScriptedEngine(
        {QUESTION: "word " * 400}, before_word=lambda word: (spoken.append(word), time.sleep(0.02))
    )
    with running(engine, ListedKnowledge(HITS), max_concurrency=1) as address:
        url = f"{address}/v1/chat/completions"
        long = {**ASK, "max_tokens": 400}
        with httpx.stream("POST", url, json={**long, "stream": True}) as reply:
            next(reply.iter_lines())
        wait_until(lambda: is_free(url))
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(url, json=long, timeout=0.3)
        wait_until(lambda: is_free(url))
    assert len(spoken) < 200


def test_an_error_inside_a_stream_ends_it_with_an_error_event(running: Any) -> None:
    def fail(word: str) -> None:
        if word == "boom":
            raise RuntimeError("secret detail")

    engine = ScriptedEngine({QUESTION: "well boom never"}, before_word=fail)
    with running(engine, ListedKnowledge(HITS)) as address:
        url = f"{address}/v1/chat/completions"
        events = httpx.post(url, json={**ASK, "stream": True}).text.strip().split("\n\n")
        last = json.loads(events[-1].removeprefix("data: "))
        assert last["error"]["type"] == "server_error"
        assert "secret" not in events[-1]
        assert "[DONE]" not in events
        assert httpx.post(url, json=ASK).status_code == 500


PAYLOADS = ["{{ 7*7 }}", "{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}", "${7*7}"]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_template_code_in_a_message_is_only_text(running: Any, payload: str) -> None:
    engine = ScriptedEngine({})
    with running(engine, ListedKnowledge(HITS)) as address:
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


def test_the_page_loads_nothing_from_elsewhere(scripted: str) -> None:
    page = httpx.get(scripted)
    assert "default-src 'none'" in page.headers["content-security-policy"]
    names = ["index.html", "style.css", "chat.js", "reading.js", "icon.svg"]
    for name in names:
        asset = httpx.get(f"{scripted}/page/{name}")
        assert asset.is_success
        assert "//" not in asset.text.replace("http://www.w3.org/2000/svg", "").replace(
            "\n// ", "\n"
        ).replace("// ", "")
        assert "innerHTML" not in asset.text
    assert httpx.get(f"{scripted}/page/..%2fapp.py").status_code == 404


def wait_until(holds: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def is_free(url: str) -> bool:
    return httpx.post(url, json={**ASK, "max_tokens": 1}).status_code == 200
