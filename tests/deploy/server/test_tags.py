"""Protects documents for some alone: every route that could tell of them is asked by the others."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from deploy.assistant import Assistant
from deploy.prompts.template import load_template
from deploy.server.keys import Key, new_key, read_keys, write_keys
from deploy.settings import GenerationSettings
from tests.deploy.documents.made import live
from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.server.conftest import serving

USUAL = GenerationSettings(max_new_tokens=24, temperature=0.0, top_p=1.0)
ASK = {"messages": [{"role": "user", "content": "Where does the canary sing?"}]}
CANARY = {"title": "Zoo", "text": "The canary sings in the aquarium."}


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine({}, otherwise="In the aquarium [1].")


@pytest.fixture
def clients(tmp_path: Path, engine: ScriptedEngine) -> Iterator[dict[str, httpx.Client]]:
    """Clients with keys: `birds` and `fish` write with a tag, `bare` without one, `admin` sees all."""
    made = {
        "birds": new_key("birds", "write", ["birds"]),
        "fish": new_key("fish", "write", ["fish"]),
        "bare": new_key("bare", "write"),
        "admin": new_key("admin", "admin"),
    }
    path = tmp_path / "keys.json"
    write_keys(path, [key for _, key in made.values()])
    assistant = Assistant(engine, live(tmp_path), load_template("assistant"), USUAL)
    with serving(assistant, keys=str(path)) as address, ExitStack() as opened:
        yield {
            name: opened.enter_context(
                httpx.Client(base_url=address, headers={"Authorization": f"Bearer {secret}"}, timeout=30)
            )
            for name, (secret, _) in made.items()
        }


def sees(client: httpx.Client, engine: ScriptedEngine) -> set[bool]:
    """Whether each of the ways to learn of the canary tells of it."""
    asked = client.post("/v1/chat/completions", json=ASK).json()
    prompted = "aquarium" in " ".join(turn.content for turn in engine.asked[-1])
    searched = client.post("/v1/search", json={"query": "canary"}).text
    listed = client.get("/v1/documents").text
    return {
        prompted,
        "zoo.md" in json.dumps(asked["threeply"]["sources"]),
        "zoo.md" in searched,
        "zoo.md" in listed,
    }


def test_only_keys_with_a_tag_of_it_learn_of_a_document(
    clients: dict[str, httpx.Client], engine: ScriptedEngine
) -> None:
    put = clients["birds"].put("/v1/documents/zoo.md", json={**CANARY, "tags": ["birds"]})
    assert put.json()["tags"] == ["birds"]
    for name, expected in (("birds", True), ("fish", False), ("bare", False), ("admin", True)):
        assert sees(clients[name], engine) == {expected}, name
    clients["admin"].put("/v1/documents/zoo.md", json=CANARY)
    assert sees(clients["bare"], engine) == {True}


def test_who_does_not_see_a_document_can_neither_replace_nor_delete_it(
    clients: dict[str, httpx.Client], engine: ScriptedEngine
) -> None:
    clients["birds"].put("/v1/documents/zoo.md", json={**CANARY, "tags": ["birds"]})
    replaced = clients["fish"].put("/v1/documents/zoo.md", json=CANARY)
    assert (replaced.status_code, replaced.json()["error"]["code"]) == (403, "name_is_taken")
    deleted = clients["bare"].delete("/v1/documents/zoo.md")
    assert (deleted.status_code, deleted.json()["error"]["code"]) == (404, "document_not_found")
    assert sees(clients["birds"], engine) == {True}
    assert clients["birds"].delete("/v1/documents/zoo.md").status_code == 200
    assert sees(clients["admin"], engine) == {False}


def test_a_key_gives_only_tags_that_it_holds(clients: dict[str, httpx.Client]) -> None:
    foreign = clients["fish"].put("/v1/documents/zoo.md", json={**CANARY, "tags": ["fish", "birds"]})
    assert (foreign.status_code, foreign.json()["error"]["code"]) == (403, "insufficient_scope")
    assert "birds" in foreign.json()["error"]["message"]
    wrong = clients["admin"].put("/v1/documents/zoo.md", json={**CANARY, "tags": ["No Tag"]})
    assert wrong.status_code == 400


def test_a_file_that_is_sent_has_its_tags_behind_its_name(
    clients: dict[str, httpx.Client], engine: ScriptedEngine
) -> None:
    headers = {"Content-Type": "text/markdown"}
    url = "/v1/documents/zoo.md?tag=birds&tag=fish"
    put = clients["admin"].put(url, content=CANARY["text"].encode(), headers=headers)
    assert put.json()["tags"] == ["birds", "fish"]
    assert sees(clients["fish"], engine) == {True}
    assert sees(clients["bare"], engine) == {False}
    wrong = clients["admin"].put("/v1/documents/a.md?tag=A", content=b"text", headers=headers)
    assert (wrong.status_code, wrong.json()["error"]["param"]) == (400, "tags.0")


def test_without_keys_a_tag_would_protect_nothing_and_is_refused(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    assistant = Assistant(engine, live(tmp_path), load_template("assistant"), USUAL)
    with serving(assistant) as address:
        reply = httpx.put(f"{address}/v1/documents/zoo.md", json={**CANARY, "tags": ["birds"]})
    assert reply.json()["error"]["code"] == "tags_need_keys"


def test_a_file_of_keys_from_before_there_were_tags_is_read(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(json.dumps([{"name": "old", "sha256": "0", "scope": "read"}]))
    assert read_keys(tmp_path / "keys.json") == (Key(name="old", sha256="0", scope="read"),)
    assert read_keys(tmp_path / "keys.json")[0].held == frozenset()
