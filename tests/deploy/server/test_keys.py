"""Protects what a server tells: with keys, nothing but the page and its health without the right one."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute
from openai import AuthenticationError, OpenAI
from starlette.routing import Mount

from deploy.errors import ServeError
from deploy.server.app import create_app
from deploy.server.guard import OPEN, needed
from deploy.server.keys import SCOPES, KeyFile, new_key, read_keys, write_keys
from deploy.server.live import Live
from deploy.settings import ServeSettings
from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.knowledge.listed import reader
from tests.deploy.server.conftest import ASK, SETTINGS, running, served


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A secret for each scope, and the `file` that knows them."""
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    made = {scope: new_key(f"my-{scope}", scope) for scope in SCOPES}
    write_keys(path, [key for _, key in made.values()])
    return {"file": str(path), **{scope: secret for scope, (secret, _) in made.items()}}


@pytest.fixture(scope="module")
def address(secrets: dict[str, str]) -> Iterator[str]:
    with running(ScriptedEngine({}), keys=secrets["file"]) as where:
        yield where


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_every_route_is_closed_but_the_page_and_its_health() -> None:
    settings = ServeSettings.model_validate(SETTINGS)
    routes = create_app(Live(served(reader(engine=ScriptedEngine({})))), settings).routes
    known = {
        (method, route.path): needed(method, route.path.replace("{model}", "sft"))
        for route in routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }
    assert known == {
        ("GET", "/"): None,
        ("HEAD", "/"): None,
        ("GET", "/healthz"): None,
        ("HEAD", "/healthz"): None,
        ("GET", "/readyz"): None,
        ("HEAD", "/readyz"): None,
        ("GET", "/openapi.json"): None,
        ("HEAD", "/openapi.json"): None,
        ("GET", "/api"): None,
        ("HEAD", "/api"): None,
        ("GET", "/metrics"): "read",
        ("HEAD", "/metrics"): "read",
        ("GET", "/v1/models"): "read",
        ("HEAD", "/v1/models"): "read",
        ("GET", "/v1/models/{model}"): "read",
        ("HEAD", "/v1/models/{model}"): "read",
        ("POST", "/v1/chat/completions"): "read",
        ("POST", "/v1/completions"): "read",
        ("POST", "/v1/embeddings"): "read",
        ("POST", "/v1/search"): "read",
        ("GET", "/v1/documents"): "read",
        ("PUT", "/v1/documents/{name:path}"): "write",
        ("DELETE", "/v1/documents/{name:path}"): "write",
        ("POST", "/v1/feedback"): "read",
        ("DELETE", "/v1/feedback/{name}"): "read",
    }
    assert [route.path for route in routes if isinstance(route, Mount)] == ["/page"]
    assert needed("GET", "/v1/documents/a") == "admin"
    assert needed("GET", "/v1/feedback") == needed("DELETE", "/v1/feedback/a/b") == "admin"
    for method, path in (("GET", "/v1/new"), ("DELETE", "/v1/models/sft"), ("POST", "/"), ("PUT", "/page/x")):
        assert needed(method, path) == "admin"
    assert not OPEN.fullmatch("/page/../v1/models")


def test_without_a_key_or_with_a_wrong_one_nothing_is_told(address: str, secrets: dict[str, str]) -> None:
    wrong = [
        {},
        bearer("tp-wrong"),
        {"Authorization": secrets["read"]},
        {"Authorization": f"Basic {secrets['read']}"},
        bearer("\xff"),
    ]
    for headers in wrong:
        raw = {name: value.encode("latin-1") for name, value in headers.items()}
        for method, path in (("GET", "/v1/models"), ("POST", "/v1/chat/completions"), ("GET", "/nowhere")):
            reply = httpx.request(method, f"{address}{path}", headers=raw, json=ASK)
            assert reply.status_code == 401, (path, headers)
            assert reply.headers["www-authenticate"] == "Bearer"
            assert reply.json()["error"]["code"] == "invalid_api_key"
    for path in ("/", "/healthz", "/readyz", "/page/chat.js"):
        assert httpx.get(f"{address}{path}").status_code == 200


@pytest.mark.parametrize("scope", SCOPES)
def test_a_key_opens_what_its_scope_holds(address: str, secrets: dict[str, str], scope: str) -> None:
    asked = httpx.post(f"{address}/v1/chat/completions", json=ASK, headers=bearer(secrets[scope]))
    assert asked.status_code == 200
    other = httpx.get(f"{address}/nowhere", headers=bearer(secrets[scope]))
    assert other.status_code == (404 if scope == "admin" else 403)


def test_the_official_client_is_let_in_by_its_key(address: str, secrets: dict[str, str]) -> None:
    def asking(key: str) -> OpenAI:
        return OpenAI(base_url=f"{address}/v1", api_key=key, max_retries=0)

    with asking(secrets["read"]) as known:
        assert [model.id for model in known.models.list()] == ["base", "sft", "rlhf"]
    with asking("tp-no") as unknown, pytest.raises(AuthenticationError):
        unknown.models.list()


def test_a_withdrawn_key_opens_nothing_from_the_next_request_on(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    secret, key = new_key("mine", "read")
    _, other = new_key("other", "read")
    write_keys(path, [key, other])
    with running(ScriptedEngine({}), keys=str(path)) as address:
        url = f"{address}/v1/models"
        assert httpx.get(url, headers=bearer(secret)).status_code == 200
        write_keys(path, [other])
        assert httpx.get(url, headers=bearer(secret)).status_code == 401
        path.write_text("no keys")
        broken = httpx.get(url, headers=bearer(secret))
        assert broken.status_code == 500
        assert "the server's log tells why" in broken.text
        assert "keys.json" not in broken.text
        assert httpx.get(f"{address}/healthz").status_code == 200


def test_the_file_has_hashes_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    secret, key = new_key("mine", "admin")
    old = os.umask(0)
    try:
        write_keys(path, [key])
    finally:
        os.umask(old)
    assert secret not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_keys(path) == (key,)
    assert KeyFile(path).holder(secret) == key
    assert KeyFile(path).holder(secret[:-1]) is None


def test_a_server_does_not_start_on_keys_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ServeError, match=r"missing\.json cannot be read: No such file.*threeply key add"):
        KeyFile(tmp_path / "missing.json")
    (tmp_path / "keys.json").write_text(json.dumps([{"name": "mine"}]))
    with pytest.raises(ServeError, match=r"keys\.json cannot be read"):
        KeyFile(tmp_path / "keys.json")
