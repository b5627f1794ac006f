"""A really running server on a free loopback port."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from deploy.assistant import Assistant
from deploy.engines.engine import Engine
from deploy.engines.local import TransformersEngine
from deploy.knowledge.hits import Hit, Knowledge
from deploy.prompts.template import load_template
from deploy.server.app import create_app
from deploy.server.run import bind
from deploy.settings import GenerationSettings, ServeSettings
from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.knowledge.listed import ListedKnowledge

QUESTION = "In `svm.SVC`, what is the default of `C`?"
HITS = [
    Hit(chunk=1, document="a", uri="py:svm.SVC@1", title="svm.SVC", text="svm.SVC\nC=1.0 : float", score=0.9),
    Hit(chunk=2, document="b", uri="py:svm.NuSVC@1", title="svm.NuSVC", text="svm.NuSVC nu=0.5", score=0.4),
]
ASK = {"model": "rlhf", "messages": [{"role": "user", "content": QUESTION}]}
Running = Callable[..., AbstractContextManager[str]]


def settings(**changes: object) -> ServeSettings:
    values = {
        "bundle": "unused",
        "host": "127.0.0.1",
        "port": 0,
        "default_model": "rlhf",
        "max_concurrency": 8,
        "max_body_bytes": 4096,
        "max_messages": 6,
    }
    return ServeSettings.model_validate({**values, **changes})


def assistant(engine: Engine, knowledge: Knowledge | None = None) -> Assistant:
    generation = GenerationSettings(max_new_tokens=24, temperature=0.0, top_p=1.0)
    return Assistant(engine, knowledge, load_template("assistant"), generation)


@contextmanager
def running(answering: Assistant, **changes: object) -> Iterator[str]:
    """The address of a server for `answering`, which ends with the block."""
    import uvicorn

    app = create_app(answering, settings(**changes), name="tiny", digest="0123456789abcdef")
    with bind("127.0.0.1", 0) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2))
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


@pytest.fixture(scope="session", name="running")
def running_fixture() -> Running:
    """What starts a server for an engine and some knowledge: `with running(engine, knowledge) as address`."""
    return lambda engine, knowledge=None, **changes: running(assistant(engine, knowledge), **changes)


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
