"""Protects the traces: a real collector gets a span of each request, its parts below it, and no words."""

import gzip
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest

from deploy.errors import ServeError
from deploy.server.traces import provider_to
from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.server.conftest import ASK, QUESTION, running

SAID = "It is `1.0` [1]."
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@contextmanager
def collecting() -> Iterator[tuple[str, list[bytes]]]:
    """The address of a collector, and what it was sent."""
    sent: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            packed = self.headers.get("Content-Encoding") == "gzip"
            assert self.path == "/v1/traces"
            sent.append(gzip.decompress(body) if packed else body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", sent
        finally:
            server.shutdown()


def spans(sent: list[bytes]) -> list[Any]:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    found = []
    for body in sent:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                found += scope.spans
    return found


def test_a_request_is_a_span_with_its_search_and_its_answer_below() -> None:
    pytest.importorskip("opentelemetry.sdk", reason="needs: make extras")
    with (
        collecting() as (collector, sent),
        running(ScriptedEngine({QUESTION: SAID}), traces=collector) as address,
    ):
        headers = {"traceparent": CALLER}
        reply = httpx.post(f"{address}/v1/chat/completions", json=ASK, headers=headers).raise_for_status()
        httpx.get(f"{address}/nothing")
    # The server has ended, and sent what was left.
    named = {span.name: span for span in spans(sent)}
    assert set(named) == {"POST /v1/chat/completions", "search", "chat rlhf", "GET other"}
    request, search, chat = (named[name] for name in ("POST /v1/chat/completions", "search", "chat rlhf"))
    assert request.trace_id.hex() == CALLER.split("-")[1]
    assert request.parent_span_id.hex() == CALLER.split("-")[2]
    assert search.parent_span_id == chat.parent_span_id == request.span_id
    assert request.start_time_unix_nano <= search.start_time_unix_nano <= search.end_time_unix_nano
    assert search.end_time_unix_nano == chat.start_time_unix_nano <= chat.end_time_unix_nano
    told = {each.key: each.value for each in chat.attributes}
    assert told["gen_ai.response.id"].string_value == reply.json()["id"]
    assert told["gen_ai.usage.output_tokens"].int_value == reply.json()["usage"]["completion_tokens"]
    status = {each.key: each.value for each in request.attributes}["http.response.status_code"]
    assert status.int_value == 200
    for body in sent:
        assert QUESTION.encode() not in body
        assert SAID.encode() not in body


def test_a_server_whose_collector_is_away_answers_all_the_same() -> None:
    pytest.importorskip("opentelemetry.sdk", reason="needs: make extras")
    with collecting() as (collector, _):
        pass
    with running(ScriptedEngine({QUESTION: SAID}), traces=collector) as address:
        assert httpx.post(f"{address}/v1/chat/completions", json=ASK).status_code == 200


def test_without_the_sdk_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(ServeError, match="make extras"):
        provider_to("http://127.0.0.1:4318")
