"""Protects the description of the server: its own words are true, whatever is sent by them."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from deploy.assistant import Assistant
from deploy.knowledge.store import open_knowledge
from deploy.prompts.template import load_template
from deploy.settings import GenerationSettings, RetrievalSettings
from tests.conftest import write_tiny_index
from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.server.conftest import serving

# What a conversation has to be, or a schema, or a name, no description can say in full.
BEYOND = [positive_data_acceptance]
PATIENCE = 120  # seconds; a busy machine is no fault of the server
USUAL = GenerationSettings(max_new_tokens=24, temperature=0.0, top_p=1.0)


@pytest.fixture(scope="module")
def address(tiny_embedder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with documents that can be changed, and an engine of few words."""
    from deploy.documents.live import LiveKnowledge

    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)  # thousands of lines
    index = write_tiny_index(tmp_path_factory.mktemp("index"), tiny_embedder, {"a": "The canary sings."})
    store = open_knowledge(
        index, tiny_embedder, RetrievalSettings(top_k=1, candidates=4, dense_weight=0.5, fusion="scores")
    )
    knowledge = LiveKnowledge(store, tmp_path_factory.mktemp("added"), chunk_words=48)
    engine = ScriptedEngine({}, otherwise="It sings [1].")
    assistant = Assistant(engine, knowledge, load_template("assistant"), USUAL)
    with serving(assistant, max_body_bytes=2**18) as where:
        yield where


def test_it_names_every_route_that_is_no_page(address: str) -> None:
    paths: dict[str, Any] = httpx.get(f"{address}/openapi.json").json()["paths"]
    assert {(path, method) for path, methods in paths.items() for method in methods} == {
        ("/healthz", "get"),
        ("/metrics", "get"),
        ("/readyz", "get"),
        ("/v1/chat/completions", "post"),
        ("/v1/completions", "post"),
        ("/v1/documents", "get"),
        ("/v1/documents/{name}", "put"),
        ("/v1/documents/{name}", "delete"),
        ("/v1/embeddings", "post"),
        ("/v1/feedback", "post"),
        ("/v1/feedback/{name}", "delete"),
        ("/v1/models", "get"),
        ("/v1/models/{model}", "get"),
        ("/v1/search", "post"),
    }


def test_what_is_sent_by_it_is_answered_by_it(address: str) -> None:
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) == 14
    for operation in operations:
        for mode in schemathesis.GenerationMode if operation.body else [schemathesis.GenerationMode.POSITIVE]:

            @settings(max_examples=25, database=None, suppress_health_check=list(HealthCheck))
            @given(case=operation.as_strategy(generation_mode=mode))
            def answered(case: schemathesis.Case) -> None:
                case.call_and_validate(excluded_checks=BEYOND, timeout=PATIENCE)

            answered()
