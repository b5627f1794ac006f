"""The application: its routes, and what every request passes through."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from deploy.feedback.store import FeedbackStore
from deploy.server.answering import Answering
from deploy.server.asking import Asking
from deploy.server.chat import add_chat_route
from deploy.server.completions import CompletionsBody, add_completions_route
from deploy.server.described import describe, readable
from deploy.server.documents import SearchBody, add_document_routes
from deploy.server.embeddings import EmbeddingsBody, add_embedding_route
from deploy.server.faults import RequestError, as_fault
from deploy.server.feedback import Feedback, FeedbackBody, add_feedback_routes
from deploy.server.guard import Guard
from deploy.server.headers import HEADERS, SafeHeaders
from deploy.server.hosts import KnownHosts
from deploy.server.keys import KeyFile
from deploy.server.limits import Limits
from deploy.server.live import Live
from deploy.server.manual import add_manual
from deploy.server.metrics import Counted, Metrics
from deploy.server.places import Places
from deploy.server.record import Recorded
from deploy.server.requests import ChatBody
from deploy.server.sent import DocumentBody
from deploy.server.status import add_status_routes
from deploy.server.traces import Traced, provider_to
from deploy.settings import ServeSettings

PAGE = Path(__file__).parent / "page"


def create_app(live: Live, settings: ServeSettings) -> FastAPI:
    """The application that serves what is `live`, at each request anew.

    Raises:
        ServeError: the file of keys is missing or damaged, or traces are asked for and nothing can send them.
        FeedbackError: the file of ratings is damaged.
    """
    asking = Asking(places=settings.max_concurrency, seconds=settings.deadline_seconds)
    keys = KeyFile(settings.keys) if settings.keys is not None else None
    limits = Limits(
        requests_per_minute=settings.requests_per_minute, tokens_per_minute=settings.tokens_per_minute
    )
    metrics = Metrics()
    feedback = Feedback(FeedbackStore(settings.feedback)) if settings.feedback is not None else None
    provider = provider_to(settings.traces) if settings.traces is not None else None

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        asking.close()
        if provider is not None:
            await asyncio.to_thread(provider.shutdown)  # what is left is sent
        if feedback is not None:
            feedback.store.close()

    # The generated API pages load scripts from elsewhere: they stay off, and so does CORS.
    app = FastAPI(
        title="threeply",
        summary="An assistant of three layers, as OpenAI's API has it",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
    )
    app.state.end = asking.end
    # The last one is asked first.
    ignored = keys is None and settings.tags_without_keys == "ignore"
    app.add_middleware(Guard, keys=keys, unkeyed=None if ignored else frozenset())
    app.add_middleware(KnownHosts, hosts={*settings.allowed_hosts, settings.host})
    app.add_middleware(Counted, metrics=metrics)
    if provider is not None:
        app.add_middleware(Traced, provider=provider)
    if settings.log != "text":
        app.add_middleware(Recorded, texts=settings.log == "json_with_texts")
    app.add_middleware(SafeHeaders)
    app.add_exception_handler(RequestError, _reply)
    app.add_exception_handler(HTTPException, _not_found)
    app.add_exception_handler(Exception, _unforeseen)
    app.mount("/page", StaticFiles(directory=PAGE), name="page")

    @readable(app, "/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(PAGE / "index.html")

    add_status_routes(app, live, metrics, takes_feedback=feedback is not None)
    answering = Answering(
        live=live, settings=settings, asking=asking, limits=limits, metrics=metrics, feedback=feedback
    )
    add_chat_route(app, answering)
    add_completions_route(app, answering)
    searching = Places(settings.max_concurrency, busy="the server is busy", come_again=2)
    add_document_routes(app, live, settings, limits, searching, feedback)
    add_feedback_routes(app, feedback, limits, settings)
    add_embedding_route(app, live, settings, limits, searching)
    bodies = (ChatBody, CompletionsBody, DocumentBody, EmbeddingsBody, FeedbackBody, SearchBody)
    add_manual(app, describe(app, bodies, keyed=keys is not None))
    return app


async def _reply(_: Request, error: Exception) -> JSONResponse:
    fault = as_fault(error)
    return JSONResponse(fault.body(), status_code=fault.status, headers=dict(fault.headers))


async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    """What nobody foresaw, which uvicorn logs; it is answered behind all that adds headers elsewhere."""
    reply = await _reply(request, error)
    reply.headers.update(HEADERS)
    return reply


async def _not_found(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    fault = RequestError(error.status_code, str(error.detail), "not_found")
    return JSONResponse(fault.body(), status_code=fault.status, headers=error.headers)
