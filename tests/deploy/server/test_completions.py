"""Protects the older route: a prompt is a question as in a chat, in the shape that its clients read."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.assistant import Assistant
from deploy.feedback.store import FeedbackStore
from deploy.prompts.template import load_template
from deploy.server.keys import new_key, write_keys
from deploy.settings import GenerationSettings
from tests.deploy.documents.made import live
from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.server.conftest import HITS, QUESTION, client, running, serving

ASK: dict[str, Any] = {"model": "rlhf", "prompt": QUESTION}
DRAWN: dict[str, Any] = {**ASK, "max_tokens": 12, "temperature": 1.2, "seed": 4}
ANSWER = "It is `1.0` [1] [7]."


def as_chat(asked: dict[str, Any]) -> dict[str, Any]:
    """The same question to the other route."""
    rest = {name: value for name, value in asked.items() if name != "prompt"}
    return {**rest, "messages": [{"role": "user", "content": asked["prompt"]}]}


def test_the_official_client_gets_what_a_chat_would_say(tiny: str) -> None:
    openai = client(tiny)
    reply = openai.completions.create(**DRAWN)
    chat = openai.chat.completions.create(**as_chat(DRAWN))
    [choice] = reply.choices
    assert choice.text == chat.choices[0].message.content
    assert choice.finish_reason == chat.choices[0].finish_reason
    assert reply.usage == chat.usage
    assert reply.object == "text_completion"
    assert reply.threeply["sources"] == chat.threeply["sources"]  # type: ignore[attr-defined]


def test_several_prompts_with_several_answers_each_come_in_their_order(tiny: str) -> None:
    prompts = ["What is `tol`?", QUESTION]
    openai = client(tiny)
    reply = openai.completions.create(**{**DRAWN, "prompt": prompts, "n": 2})
    assert [choice.index for choice in reply.choices] == [0, 1, 2, 3]
    alone = [openai.completions.create(**{**DRAWN, "prompt": prompt, "n": 2}) for prompt in prompts]
    assert [choice.text for choice in reply.choices] == [
        choice.text for each in alone for choice in each.choices
    ]
    assert reply.choices[0].text != reply.choices[1].text
    greedy = {**ASK, "max_tokens": 12, "temperature": 0.0}
    together = openai.completions.create(**{**greedy, "prompt": prompts})
    each = [openai.completions.create(**{**greedy, "prompt": prompt}).choices[0].text for prompt in prompts]
    assert [choice.text for choice in together.choices] == each
    assert each[0] != each[1]
    assert reply.usage is not None
    assert reply.usage.prompt_tokens == sum(each.usage.prompt_tokens for each in alone if each.usage)
    assert reply.usage.completion_tokens == sum(each.usage.completion_tokens for each in alone if each.usage)
    texts, ended = [""] * 4, set()
    options = {"include_usage": True}
    wanted = {**DRAWN, "prompt": prompts, "n": 2, "stream": True, "stream_options": options}
    *chunks, last = openai.completions.create(**wanted)
    for chunk in chunks:
        [choice] = chunk.choices
        assert choice.index not in ended
        texts[choice.index] += choice.text
        if choice.finish_reason:
            ended.add(choice.index)
    assert texts == [choice.text for choice in reply.choices]
    assert ended == {0, 1, 2, 3}
    assert last.usage == reply.usage


def test_chances_have_the_older_shape(tiny: str) -> None:
    openai = client(tiny)
    wanted = {**DRAWN, "max_tokens": 24}
    [choice] = openai.completions.create(**wanted, logprobs=2).choices
    chat = openai.chat.completions.create(**as_chat(wanted), logprobs=True, top_logprobs=2)
    told, other = choice.logprobs, chat.choices[0].logprobs
    assert told is not None
    assert other is not None
    content = other.content or []
    assert told.tokens == [each.token for each in content]
    assert told.token_logprobs == pytest.approx([each.logprob for each in content], abs=1e-4)
    assert told.text_offset is not None
    assert told.text_offset[0] == 0
    assert told.text_offset == sorted(told.text_offset)
    whole = [(at, token) for at, token in zip(told.text_offset, told.tokens or [], strict=True)]
    for at, token in whole:
        if not token.startswith("\\x"):
            assert choice.text[at:].startswith(token)
    assert told.top_logprobs is not None
    for each, token in zip(told.top_logprobs, told.tokens or [], strict=True):
        assert token in each
        assert 2 <= len(each) <= 3
    tokens: list[str] = []
    for chunk in openai.completions.create(**wanted, logprobs=2, stream=True):
        if chunk.choices[0].logprobs:
            tokens += chunk.choices[0].logprobs.tokens or []
    assert tokens == told.tokens
    [bare] = openai.completions.create(**wanted, logprobs=0).choices
    assert bare.logprobs is not None
    assert all(len(each) == 1 for each in bare.logprobs.top_logprobs or [])
    assert openai.completions.create(**wanted).choices[0].logprobs is None


def test_a_prompt_goes_through_the_layers_and_marks_of_roles_are_text() -> None:
    engine = ScriptedEngine({QUESTION: ANSWER})
    with running(engine) as address:
        reply = httpx.post(f"{address}/v1/completions", json=ASK).json()
        off = {"layers": {"prompt": False, "retrieval": False}}
        httpx.post(f"{address}/v1/completions", json={**ASK, "threeply": off})
    assert reply["choices"] == [{"index": 0, "text": ANSWER, "logprobs": None, "finish_reason": "stop"}]
    assert reply["threeply"]["citations"] == [1]
    assert len(reply["threeply"]["sources"]) == len(HITS)
    layered, bare = engine.asked
    assert [message.role for message in layered] == ["system", "user"]
    assert "C=1.0 : float" in layered[-1].content
    assert [message.content for message in bare] == [QUESTION]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"echo": True}, "echo"),
        ({"suffix": "end"}, "suffix"),
        ({"best_of": 2}, "best_of"),
        ({"logit_bias": {"50256": -100}}, "logit_bias"),
        ({"presence_penalty": 1}, "presence_penalty"),
        ({"logprobs": 6}, "logprobs"),
        ({"n": 9}, "n"),
        ({"prompt": ["a"] * 3, "n": 3}, "n"),
        ({"prompt": ["a"] * 9}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": ["a", " "]}, "prompt"),
        ({"prompt": [1, 2, 3]}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": "x" * 3001}, "prompt"),
        ({"messages": []}, "messages"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"chat_template": "{{ 7*7 }}"}, "chat_template"),
    ],
)
def test_what_is_refused_is_named(scripted: str, change: dict[str, Any], named: str) -> None:
    reply = httpx.post(f"{scripted}/v1/completions", json={**ASK, **change})
    assert reply.status_code == 400, reply.text
    assert reply.json()["error"]["param"].startswith(named)


def test_a_prompt_beyond_the_context_is_named_as_such(tiny: str) -> None:
    for stream in (False, True):
        wanted = {**ASK, "prompt": ["short", "word " * 500], "stream": stream}
        reply = httpx.post(f"{tiny}/v1/completions", json=wanted, timeout=60)
        assert reply.status_code == 400
        assert reply.json()["error"]["code"] == "context_length_exceeded"
        assert reply.json()["error"]["param"] == "prompt"


def test_a_key_is_needed_and_sees_its_own_documents_alone(tmp_path: Path) -> None:
    made = {tag: new_key(tag, "write", [tag]) for tag in ("birds", "fish")}
    write_keys(tmp_path / "keys.json", [key for _, key in made.values()])
    engine = ScriptedEngine({}, otherwise="In the aquarium [1].")
    usual = GenerationSettings(max_new_tokens=24, temperature=0.0, top_p=1.0)
    assistant = Assistant(engine, live(tmp_path), load_template("assistant"), usual)
    canary = {"title": "Zoo", "text": "The canary sings in the aquarium.", "tags": ["birds"]}
    with serving(assistant, keys=str(tmp_path / "keys.json")) as address:
        url, asked = f"{address}/v1/completions", {"prompt": ["Where does the canary sing?"] * 2}
        assert httpx.post(url, json=asked).status_code == 401
        birds, fish = ({"Authorization": f"Bearer {secret}"} for secret, _ in made.values())
        httpx.put(f"{address}/v1/documents/zoo.md", json=canary, headers=birds)
        for headers, expected in ((birds, True), (fish, False)):
            choices = httpx.post(url, json=asked, headers=headers).json()["choices"]
            seen = ["zoo.md" in json.dumps(choice["threeply"]["sources"]) for choice in choices]
            assert seen == [expected] * 2
            prompted = [" ".join(turn.content for turn in turns) for turns in engine.asked[-2:]]
            assert ["aquarium" in text for text in prompted] == [expected] * 2


def test_it_is_counted_limited_and_rated_like_a_chat(tmp_path: Path) -> None:
    folder = tmp_path / "feedback"
    engine = ScriptedEngine({QUESTION: ANSWER}, otherwise="No.")
    with running(engine, feedback=str(folder), requests_per_minute=4) as address:
        url = f"{address}/v1/completions"
        reply = httpx.post(url, json={**ASK, "prompt": ["Why?", QUESTION]}).json()
        names = [choice["threeply"]["id"] for choice in reply["choices"]]
        assert names == [reply["id"], f"{reply['id']}-1"]
        assert reply["id"].startswith("cmpl-")
        rated = httpx.post(f"{address}/v1/feedback", json={"id": names[1], "rating": "up"})
        assert rated.status_code == 200
        assert httpx.post(url, json=ASK).status_code == 200
        assert httpx.post(url, json=ASK).status_code == 429
        lines = httpx.get(f"{address}/metrics").text.splitlines()
    assert 'threeply_requests_total{route="/v1/completions",status="200"} 2.0' in lines
    assert 'threeply_seconds_count{part="search"} 3.0' in lines
    store = FeedbackStore(folder)
    try:
        [found] = store.all()
    finally:
        store.close()
    assert found.answer.text == ANSWER
    assert [turn.content for turn in found.answer.conversation] == [QUESTION]
