"""The route /v1/chat/completions: an answer whole, or as a stream of events."""

import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from deploy.assistant import Answer
from deploy.documents.seen import seen_by
from deploy.server.asking import Asking
from deploy.server.bodies import read_body
from deploy.server.described import taking
from deploy.server.faults import RequestError, as_fault
from deploy.server.feedback import Feedback
from deploy.server.limits import Limits
from deploy.server.live import Live
from deploy.server.metrics import Metrics
from deploy.server.replies import Envelope, event
from deploy.server.requests import ChatBody, ChatRequest, read_request
from deploy.settings import ServeSettings

_log = logging.getLogger(__name__)


def add_chat_route(
    app: FastAPI,
    live: Live,
    settings: ServeSettings,
    *,
    asking: Asking,
    limits: Limits,
    metrics: Metrics,
    feedback: Feedback | None,
) -> None:
    """Give `app` the route that answers by what is `live`, within `limits`; `feedback` remembers answers."""

    @app.post(
        "/v1/chat/completions",
        response_model=None,
        openapi_extra=taking(ChatBody),
        responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    )
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
        assistant = now.assistant
        if request.state.held is not None:
            assistant = assistant.over(seen_by(assistant.knowledge, request.state.held))
        asked = asking.ask(question, assistant, gone=request.is_disconnected)

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
