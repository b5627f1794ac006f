"""Protects the routes on documents: what is put is answered from at once, and gone when it is deleted."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deploy.assistant import Assistant
from deploy.prompts.template import load_template
from deploy.settings import GenerationSettings
from tests.deploy.documents.made import live
from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.server.conftest import running, serving

USUAL = GenerationSettings(max_new_tokens=24, temperature=0.0, top_p=1.0)
ASK = {"messages": [{"role": "user", "content": "Where does the canary sing?"}]}
CANARY = {"title": "Zoo", "text": "The canary sings in the aquarium."}


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The address of a server whose engine says that source 1 has it."""
    engine = ScriptedEngine({}, otherwise="In the aquarium [1].")
    assistant = Assistant(engine, live(tmp_path), load_template("assistant"), USUAL)
    with serving(assistant) as where:
        yield where


def sources(address: str) -> list[str]:
    reply = httpx.post(f"{address}/v1/chat/completions", json=ASK, timeout=30).json()
    return [source["document"] for source in reply["threeply"]["sources"]]


def test_a_document_is_answered_from_cited_listed_and_deleted(address: str) -> None:
    assert "pets/zoo.md" not in sources(address)
    put = httpx.put(f"{address}/v1/documents/pets/zoo.md", json=CANARY)
    assert put.status_code == 200
    assert put.json() == {
        "id": "pets/zoo.md", "object": "document", "title": "Zoo", "uri": "added:pets/zoo.md",
        "characters": 33, "passages": 1,
    }  # fmt: skip
    reply = httpx.post(f"{address}/v1/chat/completions", json=ASK).json()
    assert reply["threeply"]["citations"] == [1]
    assert reply["threeply"]["sources"][0]["document"] == "pets/zoo.md"
    listed = httpx.get(f"{address}/v1/documents").json()
    assert listed == {"object": "list", "data": [put.json()], "in_bundle": 4}
    [hit, *_] = httpx.post(f"{address}/v1/search", json={"query": "canary"}).json()["data"]
    assert (hit["document"], hit["title"]) == ("pets/zoo.md", "Zoo")
    deleted = httpx.delete(f"{address}/v1/documents/pets/zoo.md")
    assert deleted.json() == {"id": "pets/zoo.md", "object": "document", "deleted": True}
    assert "pets/zoo.md" not in sources(address)
    assert httpx.get(f"{address}/v1/documents").json()["data"] == []
    assert httpx.delete(f"{address}/v1/documents/pets/zoo.md").status_code == 404


def test_a_document_of_the_bundle_can_be_deleted(address: str) -> None:
    assert httpx.delete(f"{address}/v1/documents/handbook").status_code == 200
    hits = httpx.post(f"{address}/v1/search", json={"query": "holidays a year"}).json()["data"]
    assert "handbook" not in [hit["document"] for hit in hits]


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("a", {}, "the body is wrong: text: Field required"),
        ("a", {"text": ""}, "text: String should have at least 1 character"),
        ("a", {"text": "  "}, "the document a has no words; send its text"),
        ("a", {"text": 7}, "text: Input should be a valid string"),
        ("a", {"text": "x", "tags": []}, "tags: Extra inputs are not permitted"),
        ("a" * 400, {"text": "x"}, "is no name for a document"),
        ("a%2f..%2fb", {"text": "x"}, "is no name for a document"),
        ("a%00b", {"text": "x"}, "is no name for a document"),
    ],
)
def test_what_is_no_document_is_refused_with_what_to_do(
    address: str, name: str, body: dict[str, object], message: str
) -> None:
    reply = httpx.put(f"{address}/v1/documents/{name}", json=body)
    assert reply.status_code == 400, reply.text
    assert message in reply.json()["error"]["message"]
    assert httpx.get(f"{address}/v1/documents").json()["data"] == []


def test_half_a_character_and_what_is_no_json_are_refused(address: str) -> None:
    headers = {"Content-Type": "application/json"}
    for content in (json.dumps({"text": "a \ud83e"}), "no json", "[" * 3000, '{"text": NaN}'):
        reply = httpx.put(f"{address}/v1/documents/a", content=content, headers=headers)
        assert reply.status_code == 400, reply.text
    long = httpx.put(f"{address}/v1/documents/a", json={"text": "x" * 5000})
    assert long.status_code == 413


def test_where_documents_are_fixed_it_is_said() -> None:
    with running(ScriptedEngine({})) as address:
        for method, path in (("GET", "documents"), ("DELETE", "documents/a")):
            reply = httpx.request(method, f"{address}/v1/{path}")
            assert reply.status_code == 404
            assert "serve.documents in params.yaml is null" in reply.json()["error"]["message"]
        assert httpx.post(f"{address}/v1/search", json={"query": "C"}).status_code == 200
