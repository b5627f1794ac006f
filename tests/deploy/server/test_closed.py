"""Protects documents with tags from keys without: every route is asked in each way that could tell of one."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute

from deploy.assistant import Assistant
from deploy.errors import ServeError
from deploy.prompts.template import load_template
from deploy.server.app import create_app
from deploy.server.guard import OPEN
from deploy.server.live import Live
from deploy.server.run import check_tags
from deploy.settings import ServeSettings
from tests.deploy.documents.made import live
from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.server.attacks import ADDED, ASKED, ATTACKS, BUNDLED, ID, ROOF, SECRETS, USUAL, closed
from tests.deploy.server.conftest import SETTINGS, served, serving


@pytest.mark.parametrize("changeable", [True, False])
def test_no_route_tells_a_byte_of_a_document_to_a_key_without_its_tag(
    tmp_path: Path, changeable: bool
) -> None:
    with closed(tmp_path, changeable=changeable) as server:
        ask = {"messages": [{"role": "user", "content": ASKED[0]}]}
        theirs = server.clients["holder"].post("/v1/chat/completions", json=ask).json()["id"]
        for who in ("other", "bare"):
            for (method, _), attacks in ATTACKS.items():
                for attack in attacks:
                    told = server.told(who, method, attack, theirs)
                    for secret in SECRETS:
                        assert secret not in told, (who, method, attack)
                    sent = json.dumps([attack.path, attack.body])
                    for name in (ID, ADDED):
                        assert name in sent or name not in told, (who, method, attack)
        # Nothing of it was replaced or deleted, and who holds the tag is told.
        for who in ("holder", "admin"):
            told = " ".join(
                server.told(who, "POST", attack) for attack in ATTACKS["POST", "/v1/search"]
            ) + " ".join(
                server.told(who, "POST", attack) for attack in ATTACKS["POST", "/v1/chat/completions"]
            )
            expected = SECRETS if changeable else SECRETS[:3]
            assert [secret for secret in expected if secret not in told] == []


def test_every_route_is_among_those_that_are_attacked() -> None:
    settings = ServeSettings.model_validate(SETTINGS)
    assistant = Assistant(ScriptedEngine({}), None, load_template("assistant"), USUAL)
    routes = create_app(Live(served(assistant)), settings).routes
    known = {(each, route.path) for route in routes if isinstance(route, APIRoute) for each in route.methods}
    assert {(method, path) for method, path in known if method != "HEAD"} == ATTACKS.keys()
    assert all(OPEN.fullmatch(path) for method, path in ATTACKS if path in ("/", "/healthz", "/api"))


def test_counts_are_of_what_a_key_sees(tmp_path: Path) -> None:
    with closed(tmp_path, changeable=True) as server:
        listed = {who: server.clients[who].get("/v1/documents").json() for who in server.clients}
    assert {who: found["in_bundle"] for who, found in listed.items()} == {
        "other": 2, "bare": 1, "holder": 3, "admin": 4,
    }  # fmt: skip
    assert {who: len(found["data"]) for who, found in listed.items()} == {
        "other": 0, "bare": 0, "holder": 1, "admin": 1,
    }  # fmt: skip


def test_a_closed_document_is_neither_replaced_nor_deleted_by_who_does_not_see_it(tmp_path: Path) -> None:
    with closed(tmp_path, changeable=True) as server:
        for name in (ID, ADDED):
            put = server.clients["other"].put(f"/v1/documents/{name}", json={"text": "Mine.", "tags": ["a"]})
            assert (put.status_code, put.json()["error"]["code"]) == (403, "name_is_taken")
            gone = server.clients["other"].delete(f"/v1/documents/{name}")
            assert (gone.status_code, gone.json()["error"]["code"]) == (404, "document_not_found")
            never = server.clients["other"].delete("/v1/documents/never")
            assert gone.text.replace(name, "never") == never.text


def test_who_sees_a_document_of_the_bundle_may_replace_it_and_give_it_to_others(tmp_path: Path) -> None:
    with closed(tmp_path, changeable=True) as server:
        url, search = f"/v1/documents/{ID}", {"query": "heron budget", "documents": [ID]}
        assert server.clients["other"].post("/v1/search", json=search).json()["data"] == []
        put = server.clients["admin"].put(url, json={"text": "The heron has flown.", "tags": ["a"]})
        assert put.status_code == 200
        found = {
            who: server.clients[who].post("/v1/search", json=search).json()["data"] for who in server.clients
        }
        assert {who: [hit["text"] for hit in hits] for who, hits in found.items()} == {
            "other": [f"{ID}\nThe heron has flown."],
            "bare": [],
            "holder": [],
            "admin": [f"{ID}\nThe heron has flown."],
        }


def test_a_name_that_is_taken_while_a_document_is_sent_is_not_overwritten(tmp_path: Path) -> None:
    """The one who sends slowly has asked before there was any document of the name."""
    with closed(tmp_path, changeable=True) as server:

        def slowly() -> Iterator[bytes]:
            yield b'{"text": "Mi'
            put = server.clients["holder"].put(
                "/v1/documents/race", json={"text": "The heron races the quetzal.", "tags": ["b"]}
            )
            assert put.status_code == 200
            yield b'ne."}'

        headers = {"Content-Type": "application/json"}
        late = server.clients["other"].put("/v1/documents/race", content=slowly(), headers=headers)
        assert (late.status_code, late.json()["error"]["code"]) == (403, "name_is_taken")
        search = {"query": "races", "documents": ["race"]}
        [hit] = server.clients["holder"].post("/v1/search", json=search).json()["data"]
        assert "quetzal" in hit["text"]


def test_without_keys_nothing_with_tags_is_served_unless_that_is_meant(tmp_path: Path) -> None:
    knowledge = live(tmp_path, BUNDLED)
    without, keyed, ignoring = (
        ServeSettings.model_validate({**SETTINGS, **changed})
        for changed in ({}, {"keys": tmp_path / "keys.json"}, {"tags_without_keys": "ignore"})
    )
    for known in (knowledge, knowledge.store):
        with pytest.raises(
            ServeError, match=r"serve\.keys is null; .*threeply key add NAME --tag"
        ) as refused:
            check_tags(known, without)
        # /healthz shows everybody why a release is not served.
        assert not any(word in str(refused.value) for word in (*SECRETS, ID))
        check_tags(known, keyed)
        check_tags(known, ignoring)
    plain = live(tmp_path)
    check_tags(plain, without)
    check_tags(None, without)
    plain.put(ROOF)
    with pytest.raises(ServeError):
        check_tags(plain, without)


@pytest.mark.parametrize(("setting", "seen"), [("refuse", False), ("ignore", True)])
def test_tags_that_come_while_a_server_without_keys_runs_are_heeded(
    tmp_path: Path, setting: str, seen: bool
) -> None:
    engine, knowledge = ScriptedEngine({}), live(tmp_path)
    assistant = Assistant(engine, knowledge, load_template("assistant"), USUAL)
    with serving(assistant, tags_without_keys=setting) as address:
        knowledge.put(ROOF)  # as `threeply documents add --tag` of somebody with other settings does
        found = httpx.post(f"{address}/v1/search", json={"query": "heron roof marabou"})
        assert ("marabou" in found.text) == seen
        assert (ADDED in httpx.get(f"{address}/v1/documents").text) == seen
        gone = httpx.delete(f"{address}/v1/documents/{ADDED}")
        assert gone.status_code == (200 if seen else 404)
