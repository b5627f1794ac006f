"""Protects the routes on documents: what is put is answered from at once, and gone when it is deleted."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.server.headers import HEADERS
from tests.contents import remains
from tests.deploy.documents.made import STORED, live, text
from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.feedback.made import kept
from tests.deploy.server.conftest import running, serving
from tests.deploy.server.knowing import ASK, CANARY, over, sources


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The address of a server whose engine says that source 1 has it."""
    with serving(over(live(tmp_path))) as where:
        yield where


def test_a_document_is_answered_from_cited_listed_and_deleted(address: str) -> None:
    assert "pets/zoo.md" not in sources(address)
    put = httpx.put(f"{address}/v1/documents/pets/zoo.md", json=CANARY)
    assert put.status_code == 200
    assert put.json() == {
        "id": "pets/zoo.md", "object": "document", "title": "Zoo", "uri": "added:pets/zoo.md",
        "characters": 33, "passages": 1, "tags": [], "metadata": {}, "notes": [],
    }  # fmt: skip
    reply = httpx.post(f"{address}/v1/chat/completions", json=ASK).json()
    assert reply["threeply"]["citations"] == [1]
    assert reply["threeply"]["sources"][0]["document"] == "pets/zoo.md"
    listed = httpx.get(f"{address}/v1/documents").json()
    told = {name: value for name, value in put.json().items() if name != "notes"}
    assert listed == {"object": "list", "data": [told], "in_bundle": 4, "filters": {}}
    [hit, *_] = httpx.post(f"{address}/v1/search", json={"query": "canary"}).json()["data"]
    assert (hit["document"], hit["title"]) == ("pets/zoo.md", "Zoo")
    assert hit["chunk"] == reply["threeply"]["sources"][0]["chunk"]
    deleted = httpx.delete(f"{address}/v1/documents/pets/zoo.md")
    assert deleted.json() == {"id": "pets/zoo.md", "object": "document", "deleted": True}
    assert "pets/zoo.md" not in sources(address)
    assert httpx.get(f"{address}/v1/documents").json()["data"] == []
    assert httpx.delete(f"{address}/v1/documents/pets/zoo.md").status_code == 404


def test_a_full_disk_is_not_the_clients_doing_and_nothing_is_half_changed(tmp_path: Path) -> None:
    knowledge = live(tmp_path)
    with serving(over(knowledge), max_body_bytes=2**20) as address:
        assert httpx.put(f"{address}/v1/documents/zoo", json=CANARY).status_code == 200
        full = "PRAGMA max_page_count = 1"  # SQLite takes it for as many pages as there are
        knowledge._additions._file._connection.execute(full)
        long = {"text": "The parrot sings. " * 3_000}
        for name in ("zoo", "parrots"):
            refused = httpx.put(f"{address}/v1/documents/{name}", json=long)
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "not_kept")
            assert str(tmp_path) not in refused.text
        assert [each["id"] for each in httpx.get(f"{address}/v1/documents").json()["data"]] == ["zoo"]
        [hit, *_] = httpx.post(f"{address}/v1/search", json={"query": "canary"}).json()["data"]
        assert hit["text"].endswith(CANARY["text"])


def test_what_nobody_foresaw_is_answered_as_openai_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("secret")

    knowledge = live(tmp_path)
    monkeypatch.setattr(knowledge, "search", fails)
    with serving(over(knowledge)) as address:
        reply = httpx.post(f"{address}/v1/search", json={"query": "canary"})
    assert reply.status_code == 500
    assert reply.json()["error"]["code"] == "internal_error"
    assert "secret" not in reply.text
    assert HEADERS.items() <= {name.title(): value for name, value in reply.headers.items()}.items()


@pytest.mark.parametrize("way", ["deleted", "replaced"])
def test_ratings_let_go_of_passages_that_are_there_no_more(tmp_path: Path, way: str) -> None:
    with serving(over(live(tmp_path)), feedback=tmp_path / "ratings") as address:
        where = f"{address}/v1/documents/zoo"
        httpx.put(where, json=CANARY)
        for thumb in ("up", "down"):  # the second one only remembered until the document has gone
            name = httpx.post(f"{address}/v1/chat/completions", json=ASK).json()["id"]
            if thumb == "down":
                httpx.delete(where) if way == "deleted" else httpx.put(where, json={"text": "A bee hums."})
            said = httpx.post(f"{address}/v1/feedback", json={"id": name, "rating": thumb})
            assert said.status_code == 200
    ratings = kept(tmp_path / "ratings")
    assert {each.rating for each in ratings} == {"up", "down"}
    shown = [source for each in ratings for source in each.answer.sources if source.document == "zoo"]
    assert [source.text for source in shown] == ["", ""]
    assert not remains(tmp_path, CANARY["text"])


def test_a_question_can_be_kept_to_some_documents(address: str) -> None:
    httpx.put(f"{address}/v1/documents/pets/zoo.md", json=CANARY).raise_for_status()

    def asked(*beginnings: str) -> list[str]:
        body = {**ASK, "threeply": {"documents": list(beginnings)}}
        reply = httpx.post(f"{address}/v1/chat/completions", json=body).raise_for_status().json()
        return [source["document"] for source in reply["threeply"]["sources"]]

    def searched(*beginnings: str) -> list[str]:
        body = {"query": "canary", "documents": list(beginnings)}
        reply = httpx.post(f"{address}/v1/search", json=body).raise_for_status().json()
        return [hit["document"] for hit in reply["data"]]

    for found in (asked, searched):
        assert set(found("pets/")) == {"pets/zoo.md"}
        assert set(found("handbook")) == {"handbook"}
        assert found("no such") == []
        assert len(set(found())) > 1
    refused = httpx.post(f"{address}/v1/chat/completions", json={**ASK, "threeply": {"documents": [""]}})
    assert refused.status_code == 400


def test_a_question_can_be_kept_to_documents_by_their_metadata(tmp_path: Path) -> None:
    documents = [text("kiln", "The canary of the kiln.", product="kiln"), *STORED]
    with serving(over(live(tmp_path, documents, ("product",)))) as address:
        put = httpx.put(f"{address}/v1/documents/press", json={**CANARY, "metadata": {"product": "press"}})
        assert put.json()["metadata"] == {"product": "press"}
        where = {"params": {"metadata": "product=press"}, "headers": {"Content-Type": "text/markdown"}}
        put = httpx.put(f"{address}/v1/documents/file", content="The canary of a file.", **where)
        assert put.json()["metadata"] == {"product": "press"}
        listed = httpx.get(f"{address}/v1/documents").json()
        assert listed["filters"] == {"product": ["kiln", "press"]}
        for path, body, field in (
            ("chat/completions", lambda how: {**ASK, "threeply": how}, "threeply.where"),
            (
                "completions",
                lambda how: {"prompt": "Where is the canary?", "threeply": how},
                "threeply.where",
            ),
            ("search", lambda how: {"query": "canary", **how}, "where"),
        ):

            def asked(how: dict[str, Any], path: str = path, body: Any = body) -> httpx.Response:
                return httpx.post(f"{address}/v1/{path}", json=body(how))

            def documents_of(reply: httpx.Response) -> set[str]:
                told = reply.raise_for_status().json()
                return {each["document"] for each in told.get("data") or told["threeply"]["sources"]}

            assert documents_of(asked({"where": {"product": "kiln"}})) == {"kiln"}
            assert documents_of(asked({"where": {"product": ["press", "lathe"]}})) == {"press", "file"}
            assert documents_of(asked({"where": {"product": "press"}, "documents": ["fi"]})) == {"file"}
            refused = asked({"where": {"produkt": "kiln"}})
            told = refused.json()["error"]
            assert (refused.status_code, told["code"], told["param"]) == (400, "unknown_filter", field)
            assert "there are: product" in told["message"]
            for wrong in ({"product": []}, {"product": 3}, {"product": ""}):
                assert asked({"where": wrong}).status_code == 400


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"json": {**CANARY, "metadata": {"product": "press"}}}, "unknown_filter"),
        ({"json": {**CANARY, "metadata": {"product": 3}}}, "invalid_value"),
        ({"content": "A canary.", "params": {"metadata": "product=press"}}, "unknown_filter"),
        ({"content": "A canary.", "params": {"metadata": "product"}}, "invalid_value"),
    ],
)
def test_metadata_that_nothing_is_found_by_is_refused(address: str, how: dict[str, Any], code: str) -> None:
    kind = "application/json" if "json" in how else "text/plain"
    refused = httpx.put(f"{address}/v1/documents/zoo", headers={"Content-Type": kind}, **how)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, code)
    assert httpx.get(f"{address}/v1/documents").json()["data"] == []


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
        ("a", {"text": "x", "labels": []}, "labels: Extra inputs are not permitted"),
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
