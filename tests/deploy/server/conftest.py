"""A really running server on a free loopback port."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from openai import OpenAI

from deploy.assistant import Assistant
from deploy.engines.engine import Engine
from deploy.engines.local import TransformersEngine
from deploy.knowledge.hits import Hit
from deploy.server.app import create_app
from deploy.server.listening import bind, server_of
from deploy.server.live import Live, Served
from deploy.settings import ServeSettings
from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.knowledge.listed import reader
from tests.deploy.server.browsing import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

QUESTION = "In `svm.SVC`, what is the default of `C`?"
HITS = [
    Hit(chunk=1, document="a", uri="py:svm.SVC@1", title="svm.SVC", text="svm.SVC\nC=1.0 : float", score=0.9),
    Hit(chunk=2, document="b", uri="py:svm.NuSVC@1", title="svm.NuSVC", text="svm.NuSVC nu=0.5", score=0.4),
]
ASK = {"model": "rlhf", "messages": [{"role": "user", "content": QUESTION}]}
SETTINGS = {
    "bundle": "unused",
    "host": "127.0.0.1",
    "port": 0,
    "default_model": "rlhf",
    "public_key": None,
    "allowed_hosts": ["localhost"],
    "documents": None,
    "feedback": None,
    "keys": None,
    "tags_without_keys": "refuse",
    "requests_per_minute": None,
    "tokens_per_minute": None,
    "log": "text",
    "traces": None,
    "max_concurrency": 8,
    "max_batch": 8,
    "deadline_seconds": 60,
    "read_seconds": 60,
    "shutdown_seconds": 10,
    "max_body_bytes": 4096,
    "max_document_bytes": 65536,
    "max_messages": 6,
    "max_message_characters": 3000,
}


@contextmanager
def running(engine: Engine, **changes: object) -> Iterator[str]:
    """The address of a server for `engine` and HITS, which ends with the block."""
    with serving(reader(HITS, engine), **changes) as address:
        yield address


@contextmanager
def serving(assistant: Assistant, **changes: object) -> Iterator[str]:
    """The address of a server for `assistant`, which ends with the block."""
    with serving_live(Live(served(assistant)), **changes) as address:
        yield address


def served(assistant: Assistant, **changes: Any) -> Served:
    """A complete release of `assistant`."""
    whole = Served(assistant=assistant, default_model="rlhf", name="tiny", digest="0123456789abcdef")
    return replace(whole, **changes)


@contextmanager
def serving_live(live: Live, **changes: object) -> Iterator[str]:
    """The address of a server for what is `live`, which ends with the block."""
    settings = ServeSettings.model_validate({**SETTINGS, **changes})
    app = create_app(live, settings)
    with bind("127.0.0.1", 0) as listener:
        server = server_of(app, settings)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive(), "the server did not start"
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=10)
            assert not thread.is_alive(), "the server did not end"


@cache  # one that is dropped may be collected with its connection open, which is a warning
def client(address: str) -> OpenAI:
    """OpenAI's own client of the server at `address`; what is refused is not asked again."""
    return OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)


@pytest.fixture(scope="module")
def tiny(tiny_base: Path, tiny_adapters: dict[str, Path]) -> Iterator[str]:
    """The address of a server with a tiny model, its adapters and two sources."""
    with running(TransformersEngine(tiny_base, tiny_adapters)) as address:
        yield address


@pytest.fixture(scope="module")
def scripted() -> Iterator[str]:
    """The address of a server that cites source 1 and a source 7 that it never saw."""
    with running(ScriptedEngine({QUESTION: "It is `1.0` [1] [7]."})) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """A real browser; without one the tests that ask for it are skipped."""
    with chromium() as started:
        yield started
