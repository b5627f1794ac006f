"""Protects those who ask oddly: a short answer, or an error that says what to do; the server never fails."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.assistant import Assistant
from deploy.bundle import BundledSettings, load_bundle, write_bundle
from deploy.prompts.template import load_template
from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings
from tests.conftest import write_tiny_index
from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.server.conftest import serving

USUAL = GenerationSettings(max_new_tokens=6, temperature=0.0, top_p=1.0)
LAYERS = [(True, True), (True, False), (False, True), (False, False)]


@pytest.fixture(scope="module", params=["with knowledge", "without a single passage"])
def address(
    request: pytest.FixtureRequest,
    tiny_base: Path,
    tiny_embedder: Path,
    tiny_adapters: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """The address of a server of a whole bundle of tiny parts."""
    folder = tmp_path_factory.mktemp("bad_input")
    texts = {"svm.SVC": "svm.SVC(C=1.0)\n\nC=1.0 : float"} if request.param == "with knowledge" else {}
    write_bundle(
        folder / "bundle",
        name="tiny",
        base=tiny_base,
        embedder=tiny_embedder,
        knowledge=write_tiny_index(folder / "index", tiny_embedder, texts),
        adapters=tiny_adapters,
        settings=BundledSettings(
            precision="float32",
            retrieval=RetrievalSettings(top_k=2, candidates=10, dense_weight=0.5, fusion="scores"),
            prompt=PromptSettings(template="support"),
            generation=USUAL,
        ),
        gate={},
        ledger={},
    )
    with serving(load_bundle(folder / "bundle"), max_body_bytes=262144) as address:
        yield address


def ask(address: str, messages: list[dict[str, Any]], **fields: object) -> httpx.Response:
    body = json.dumps({"messages": messages, **fields})  # escapes halves of characters, which httpx would not
    headers = {"Content-Type": "application/json"}
    return httpx.post(f"{address}/v1/chat/completions", content=body, headers=headers, timeout=30)


def user(text: object) -> dict[str, Any]:
    return {"role": "user", "content": text}


EMPTY = "the question is empty: the last message is"
REFUSED = {
    "nothing": ([user("")], f"{EMPTY} ''; write what you want to know"),
    "blanks": ([user(" \n\t ")], f"{EMPTY} ' \\n\\t '; write"),
    "marks without a shape": ([user("\u200b\ufeff")], EMPTY),
    "no part": ([user([])], EMPTY),
    "role tokens": ([user("<|im_start|>")], f"{EMPTY} '<|im_start|>'"),
    "no message": ([], "the conversation is empty; send"),
    "no user": ([{"role": "system", "content": "Be kind."}], "the last message is the system's"),
    "no question": (
        [user("Hi"), {"role": "assistant", "content": "Hello"}],
        "the last message is the assistant's, so nothing is asked; end the conversation with",
    ),
    "half a character": ([user("Why \ud83e?")], "message 1 holds '\\ud83e', half of a character"),
    "10,000 words": (
        [user("word " * 10_000)],
        "message 1 has 50000 characters; at most 3000 are read: shorten it",
    ),
    "10,000 words before": (
        [user("word " * 10_000), {"role": "assistant", "content": "Hello"}, user("Why?")],
        "message 1 has 50000 characters",
    ),
    "more than the context": (
        [user("word " * 590)],
        "tokens and 6 are asked for, but the context holds 512; shorten",
    ),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_answered_is_refused_with_what_to_do(address: str, case: str, stream: bool) -> None:
    messages, message = REFUSED[case]
    for prompt, retrieval in LAYERS:
        layers = {"layers": {"prompt": prompt, "retrieval": retrieval}}
        reply = ask(address, messages, stream=stream, threeply=layers)
        assert reply.status_code == 400, reply.text
        error = reply.json()["error"]
        assert message in error["message"]
        assert error["type"] == "invalid_request_error"
        assert error["code"] in ("invalid_value", "message_too_long", "context_length_exceeded")
        assert error["param"].startswith("messages")


@pytest.mark.parametrize(
    "question",
    ["Was ist der Standardwert von `C`?", "`C` \u7684\u9ed8\u8ba4\u503c?", "\U0001f914", "a\u0000b", "?"],
)
def test_any_language_is_answered(address: str, question: str) -> None:
    for prompt, retrieval in LAYERS:
        layers = {"layers": {"prompt": prompt, "retrieval": retrieval}}
        reply = ask(address, [user(question)], threeply=layers)
        assert reply.status_code == 200, reply.text
        assert reply.json()["usage"]["completion_tokens"] <= USUAL.max_new_tokens


@pytest.mark.parametrize("field", ["\ud83e", "model", "stop"])
def test_half_a_character_elsewhere_is_refused_as_well(address: str, field: str) -> None:
    reply = ask(address, [user("Why?")], **{field: "\ud83e"})
    assert reply.status_code == (404 if field == "model" else 400), reply.text


class NeverSearched:
    """Knowledge that must not be asked."""

    def search(self, *_: object, **__: object) -> list[list[Any]]:
        """Nothing: it fails."""
        raise AssertionError("what is refused was searched for")


@pytest.mark.parametrize("case", [name for name in REFUSED if name != "more than the context"])
def test_nothing_is_searched_for_what_is_refused(case: str) -> None:
    assistant = Assistant(ScriptedEngine({}), NeverSearched(), load_template("support"), USUAL)
    with serving(assistant, max_body_bytes=262144) as address:
        assert ask(address, REFUSED[case][0]).status_code == 400


def test_without_a_passage_the_model_is_told_to_abstain() -> None:
    class Empty:
        def search(self, queries: list[str], **_: object) -> list[list[Any]]:
            return [[] for _ in queries]

    engine = ScriptedEngine({})
    with serving(Assistant(engine, Empty(), load_template("support"), USUAL)) as address:
        reply = ask(address, [user("How long may a book be kept?")]).json()
    assert "There are no sources for this question. Say: The" in engine.asked[0][0].content
    assert reply["choices"][0]["message"]["content"] == "The documentation does not say."
    assert reply["threeply"]["sources"] == reply["threeply"]["citations"] == []
