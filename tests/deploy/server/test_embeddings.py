"""Protects /v1/embeddings: the vectors are those that the search compares, and nothing is cut in silence."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from openai import BadRequestError, NotFoundError

from deploy.assistant import Assistant
from deploy.knowledge.embedder import SentenceEmbedder
from deploy.knowledge.store import open_knowledge
from deploy.prompts.template import load_template
from deploy.settings import GenerationSettings, RetrievalSettings
from tests.conftest import write_tiny_index
from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.server.conftest import client, running, serving

USUAL = GenerationSettings(max_new_tokens=24, temperature=0.0, top_p=1.0)
CLOSE = 0.02  # questions are read in bfloat16 where the machine has it
TEXTS = [f"text {number}, which is a text" for number in range(11)]


@pytest.fixture(scope="module")
def address(tiny_embedder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server over a store with the tiny embedder."""
    index = write_tiny_index(tmp_path_factory.mktemp("index"), tiny_embedder, {"a": "The canary sings."})
    knowledge = open_knowledge(
        index, tiny_embedder, RetrievalSettings(top_k=1, candidates=4, dense_weight=0.5, fusion="scores")
    )
    with serving(Assistant(ScriptedEngine({}), knowledge, load_template("assistant"), USUAL)) as where:
        yield where


@pytest.mark.parametrize("form", ["float", "base64", None])
def test_the_official_client_gets_the_vectors_of_the_search(
    address: str, tiny_embedder: Path, form: str | None
) -> None:
    asked = {} if form is None else {"encoding_format": form}
    reply = client(address).embeddings.create(model="embedder", input=TEXTS, **asked)  # type: ignore[arg-type]
    given = [each.embedding for each in reply.data]
    if form == "base64":
        given = [np.frombuffer(__import__("base64").b64decode(each), "<f4") for each in given]  # type: ignore[arg-type, misc]
    expected = SentenceEmbedder(tiny_embedder).embed_texts(TEXTS)
    np.testing.assert_allclose(np.array(given), expected, atol=CLOSE)
    assert [each.index for each in reply.data] == list(range(11))
    assert reply.usage.prompt_tokens == sum(SentenceEmbedder(tiny_embedder).count_tokens(TEXTS))


def test_one_text_and_a_question(address: str, tiny_embedder: Path) -> None:
    body = {"model": "embedder", "input": "canary?", "threeply": {"kind": "query"}}
    [only] = httpx.post(f"{address}/v1/embeddings", json=body).json()["data"]
    expected = SentenceEmbedder(tiny_embedder).embed_queries(["canary?"])[0]
    np.testing.assert_allclose(only["embedding"], expected, atol=CLOSE)


def test_a_text_that_would_be_cut_is_refused(address: str) -> None:
    with pytest.raises(BadRequestError, match=r"text 2 has \d+ tokens; at most 128 are read"):
        client(address).embeddings.create(model="embedder", input=["short", "long " * 200])


def test_another_model_is_none(address: str) -> None:
    with pytest.raises(NotFoundError, match="there is: embedder"):
        client(address).embeddings.create(model="text-embedding-3-small", input="a")


@pytest.mark.parametrize("texts", ["", [], [""], ["a"] * 257, [1, 2], None])
def test_what_is_no_text_is_refused(address: str, texts: object) -> None:
    reply = httpx.post(f"{address}/v1/embeddings", json={"model": "embedder", "input": texts})
    assert reply.status_code == 400
    assert reply.json()["error"]["code"] == "invalid_value"


def test_without_documents_there_is_no_embedder() -> None:
    with running(ScriptedEngine({})) as where:
        reply = httpx.post(f"{where}/v1/embeddings", json={"model": "embedder", "input": "a"})
    assert reply.json()["error"]["code"] == "no_documents"
