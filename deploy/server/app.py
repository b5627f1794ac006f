"""The routes: /v1/chat/completions, /v1/models, /healthz, /readyz, /metrics, and the page at /.

Those on documents are in `deploy.server.documents`, those on ratings in `deploy.server.feedback`.
"""

import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from deploy.assistant import Answer
from deploy.documents.live import LiveKnowledge
from deploy.feedback.store import FeedbackStore
from deploy.server.asking import Asking
from deploy.server.bodies import read_body
from deploy.server.documents import add_document_routes
from deploy.server.faults import RequestError, as_fault
from deploy.server.feedback import Feedback, add_feedback_routes
from deploy.server.guard import Guard
from deploy.server.headers import SafeHeaders
from deploy.server.hosts import KnownHosts
from deploy.server.keys import KeyFile
from deploy.server.limits import Limits
from deploy.server.live import Live
from deploy.server.metrics import CONTENT_TYPE, Counted, Metrics
from deploy.server.replies import Envelope, event
from deploy.server.requests import ChatRequest, known_model, read_request
from deploy.settings import ServeSettings

PAGE = Path(__file__).parent / "page"
READ = ["GET", "HEAD"]
_log = logging.getLogger(__name__)


def create_app(live: Live, settings: ServeSettings) -> FastAPI:
    """The application that serves what is `live`, at each request anew.

    Raises:
        ServeError: the file of keys is missing or damaged.
        FeedbackError: the file of ratings is damaged.
    """
    asking = Asking(places=settings.max_concurrency, seconds=settings.deadline_seconds)
    keys = KeyFile(settings.keys) if settings.keys is not None else None
    limits = Limits(
        requests_per_minute=settings.requests_per_minute, tokens_per_minute=settings.tokens_per_minute
    )
    metrics = Metrics()
    feedback = Feedback(FeedbackStore(settings.feedback)) if settings.feedback is not None else None

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        asking.close()
        if feedback is not None:
            feedback.store.close()

    # The generated API pages load scripts from elsewhere: they stay off, and so does CORS.
    app = FastAPI(title="threeply", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.state.end = asking.end
    # The last one is asked first.
    app.add_middleware(Guard, keys=keys)
    app.add_middleware(KnownHosts, hosts={*settings.allowed_hosts, settings.host})
    app.add_middleware(Counted, metrics=metrics)
    app.add_middleware(SafeHeaders)
    app.add_exception_handler(RequestError, _reply)
    app.add_exception_handler(HTTPException, _not_found)
    app.mount("/page", StaticFiles(directory=PAGE), name="page")

    @app.api_route("/", methods=READ, include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(PAGE / "index.html")

    @app.api_route("/healthz", methods=READ)
    async def health() -> dict[str, Any]:
        now = live.now
        return {
            "status": "ok",
            "bundle": now.name,
            "manifest": now.digest,
            "models": list(now.models),
            "default": now.default_model,
            "layers": list(now.layers),
            "partial": now.partial,
            "live": now.told,
            "fault": live.fault or None,
            "documents": isinstance(now.assistant.knowledge, LiveKnowledge),
            "feedback": feedback is not None,
        }

    @app.api_route("/readyz", methods=READ)
    async def ready() -> dict[str, Any]:
        now = live.now
        return {"status": "ok", "release": now.digest[:12], "layers": list(now.layers), "live": now.told}

    @app.api_route("/metrics", methods=READ)
    async def measured() -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    @app.api_route("/v1/models", methods=READ)
    async def models() -> dict[str, Any]:
        now = live.now
        entries = [_model(model) for model in now.models]
        return {"object": "list", "data": entries, "default": now.default_model, "live": now.told}

    @app.api_route("/v1/models/{model}", methods=READ)
    async def model(model: str) -> dict[str, Any]:
        return _model(known_model(model, live.now))

    @app.post("/v1/chat/completions", response_model=None)
    async def chat(request: Request) -> Response:
        caller = request.state.caller
        limits.admit(caller)
        body = await read_body(request, settings.max_body_bytes)
        now = live.now  # to the end of this request, whatever is released meanwhile
        question = read_request(body, settings=settings, served=now)
        envelope = Envelope(
            id=f"chatcmpl-{uuid.uuid4().hex}",
            created=int(time.time()),
            model=question.model,
            fingerprint=now.digest[:12],
        )
        asked = asking.ask(question, now.assistant, gone=request.is_disconnected)

        def answered(answer: Answer) -> None:
            limits.spend(caller, answer.prompt_tokens + answer.completion_tokens)
            metrics.answered(question.model, answer)
            if feedback is not None:
                feedback.remember(answer, question, envelope, caller)

        items = watched(asked, metrics, answered)
        if question.stream:
            return await _streamed(question, envelope, items)
        answer = await _whole(items)
        return Response(status_code=499) if answer is None else JSONResponse(envelope.completion(answer))

    add_document_routes(app, live, settings)
    add_feedback_routes(app, feedback, limits, settings)
    return app


async def watched(
    items: AsyncIterator[str | Answer], metrics: Metrics, answered: Callable[[Answer], object]
) -> AsyncIterator[str | Answer]:
    """`items` as they are; `metrics` counts them, and `answered` is given the answer."""
    metrics.began()
    began, first = time.perf_counter(), True
    try:
        async with aclosing(items) as opened:  # type: ignore[type-var]
            async for item in opened:
                if isinstance(item, Answer):
                    answered(item)
                elif first:
                    metrics.first_text(time.perf_counter() - began)
                    first = False
                yield item
    finally:
        metrics.ended()


async def _whole(items: AsyncIterator[str | Answer]) -> Answer | None:
    """The answer at the end of `items`; None if the client left."""
    try:
        async with aclosing(items) as opened:  # type: ignore[type-var]
            async for item in opened:
                if isinstance(item, Answer):
                    return item
    except Exception as error:
        raise _seen(error) from None
    return None


async def _streamed(
    question: ChatRequest, envelope: Envelope, items: AsyncIterator[str | Answer]
) -> StreamingResponse:
    """A stream of events. What goes wrong before the first piece is still a reply with its own status."""
    try:
        first = await anext(items, None)
    except Exception as error:
        raise _seen(error) from None

    async def events() -> AsyncIterator[str]:
        try:
            async with aclosing(items) as opened:  # type: ignore[type-var]
                yield event(envelope.opening())
                item: str | Answer | None = first
                while item is not None:
                    if isinstance(item, Answer):
                        yield event(envelope.closing(item))
                        if question.include_usage:
                            yield event(envelope.usage(item))
                        yield "data: [DONE]\n\n"
                    else:
                        yield event(envelope.piece(item))
                    item = await anext(opened, None)
        except Exception as error:
            yield event(_seen(error).body())

    return StreamingResponse(events(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _seen(error: Exception) -> RequestError:
    """The error for the client; one that nobody foresaw goes to the log."""
    fault = as_fault(error)
    if fault.code == "internal_error":
        _log.error("a request failed", exc_info=error)
    return fault


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "threeply"}


async def _reply(_: Request, error: Exception) -> JSONResponse:
    fault = as_fault(error)
    return JSONResponse(fault.body(), status_code=fault.status, headers=dict(fault.headers))


async def _not_found(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    fault = RequestError(error.status_code, str(error.detail), "not_found")
    return JSONResponse(fault.body(), status_code=fault.status, headers=error.headers)
