"""Traces for OpenTelemetry, where `serve.traces` names a collector: a span a request, its parts below it.

Attributes are those of the semantic conventions for HTTP and for generative AI. No prompt, no answer and no
key is among them.
"""

import time
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deploy.answer import Answer
from deploy.errors import ServeError
from deploy.server.replies import finish
from deploy.server.requests import ChatRequest
from deploy.server.watching import watchers

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

_NANOSECONDS = 1_000_000_000


def provider_to(collector: str) -> "TracerProvider":
    """What sends spans to the `collector`, by OTLP over HTTP, in the background; shut it down at the end.

    Raises:
        ServeError: OpenTelemetry is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise ServeError(
            "serve.traces needs OpenTelemetry's SDK: run make extras, or set serve.traces to null"
        ) from None
    provider = TracerProvider(resource=Resource.create({"service.name": "threeply"}))
    exporter = OTLPSpanExporter(endpoint=f"{collector.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


class Traced:
    """ASGI middleware that makes a span of each request, below that of who asks (`traceparent`)."""

    def __init__(self, app: ASGIApp, *, provider: "TracerProvider") -> None:
        self._app, self._tracer = app, provider.get_tracer("threeply")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        from opentelemetry.trace import SpanKind, StatusCode
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        asked_below = TraceContextTextMapPropagator().extract(dict(Headers(scope=scope)))
        method = scope["method"]
        span = self._tracer.start_span(method, context=asked_below, kind=SpanKind.SERVER)
        span.set_attribute("http.request.method", method)
        watchers(scope).append(_Parts(self._tracer, span))

        async def heard(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "other")
                span.update_name(f"{method} {route}")
                span.set_attributes({"http.route": route, "http.response.status_code": message["status"]})
                if message["status"] >= 500:
                    span.set_status(StatusCode.ERROR)
            await send(message)

        try:
            await self._app(scope, receive, heard)
        finally:
            span.end()


class _Parts:
    """Makes the spans of a request's answers once they are there: their times are known by then."""

    def __init__(self, tracer: "Tracer", span: "Span") -> None:
        self._tracer, self._span = tracer, span

    def answered(self, identifier: str, question: ChatRequest, answer: Answer) -> None:
        """Put an answer below the request, and its search beside it."""
        from opentelemetry.trace import set_span_in_context

        below = set_span_in_context(self._span)
        end = time.time_ns()
        begin = end - int(answer.seconds * _NANOSECONDS)
        searched = begin + int(answer.retrieval_seconds * _NANOSECONDS)
        if answer.layers.retrieval:
            found = {"threeply.sources": len(answer.sources)}
            self._tracer.start_span("search", below, attributes=found, start_time=begin).end(searched)
        told = {
            "gen_ai.operation.name": "chat",
            "gen_ai.response.id": identifier,
            "gen_ai.request.model": question.model,
            "gen_ai.usage.input_tokens": answer.prompt_tokens,
            "gen_ai.usage.output_tokens": answer.completion_tokens,
            "gen_ai.response.finish_reasons": [finish(answer)],
        }
        name = f"chat {question.model}"
        self._tracer.start_span(name, below, attributes=told, start_time=searched).end(end)
