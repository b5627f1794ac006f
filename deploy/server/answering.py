"""Answers questions over HTTP, whole or as a stream of events, and counts what was done for whom."""

import logging
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from deploy.answer import Answer
from deploy.server.asking import Asking, Said
from deploy.server.bodies import read_body
from deploy.server.described import STREAMED, taking
from deploy.server.faults import CLIENT_LEFT, RequestError, as_fault
from deploy.server.feedback import Feedback
from deploy.server.finding import found_by
from deploy.server.limits import Limits
from deploy.server.live import Live, Served
from deploy.server.metrics import Metrics
from deploy.server.replies import Envelope, event
from deploy.server.requests import ChatRequest
from deploy.server.watching import watchers
from deploy.server.wishes import Wishes
from deploy.settings import ServeSettings

_log = logging.getLogger(__name__)
_CHARACTERS = 4  # of a prompt to a token, where a client left before its tokens were told


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """What the routes that answer have in common; `feedback` remembers their answers, if it is there."""

    live: Live
    settings: ServeSettings
    asking: Asking
    limits: Limits
    metrics: Metrics
    feedback: Feedback | None

    def add_route(
        self,
        app: FastAPI,
        path: str,
        *,
        body: type[Wishes],
        read: Callable[[bytes, ServeSettings, Served], Sequence[ChatRequest]],
        kind: type[Envelope],
        prefix: str,
        field: str,
        summary: str,
    ) -> None:
        """Give `app` the route at `path`, which takes a `body` and answers what `read` makes of it.

        The reply is of this `kind`, its id begins with `prefix`; `field` is where a body has the questions.
        `summary` says what the route is for.
        """
        told: dict[str, Any] = {"summary": summary, "openapi_extra": taking(body), "responses": STREAMED}

        @app.post(path, response_model=None, **told)
        async def answered(request: Request) -> Response:
            self.limits.admit(request.state.caller)
            sent = await read_body(request, self.settings.max_body_bytes)
            now = self.live.now  # to the end of this request, whatever is released meanwhile
            questions = read(sent, self.settings, now)
            return await self.reply(request, questions, now, kind=kind, prefix=prefix, field=field)

    async def reply(
        self,
        request: Request,
        questions: Sequence[ChatRequest],
        served: Served,
        *,
        kind: type[Envelope],
        prefix: str,
        field: str,
    ) -> Response:
        """The reply to `questions`, which are alike but for what they ask, as `add_route` has it.

        Raises:
            RequestError: they cannot be answered.
        """
        first = questions[0]
        envelope = kind(
            id=f"{prefix}-{uuid.uuid4().hex}",
            created=int(time.time()),
            model=first.model,
            fingerprint=served.digest[:12],
            questions=len(questions),
            choices=first.choices,
        )
        caller = request.state.caller
        self.limits.further(caller, len(questions) * first.choices - 1)
        assistant = served.assistant.over(
            found_by(served.assistant.knowledge, request.state.held, first.wanted, field="threeply.where")
        )
        asked = self.asking.ask(questions, assistant, gone=request.is_disconnected)
        begun: set[int] = set()  # the questions whose prompts are counted
        moment = 0 if self.feedback is None else self.feedback.moment

        def answered(answer: Answer) -> None:
            place = answer.choice // first.choices
            further = place in begun
            begun.add(place)
            self.limits.spend(caller, answer.completion_tokens + (0 if further else answer.prompt_tokens))
            self.metrics.answered(first.model, answer, further=further)
            for watcher in watchers(request.scope):
                watcher.answered(envelope.id, questions[place], answer)
            if self.feedback is not None:
                self.feedback.remember(answer, questions[place], envelope, caller, since=moment)

        def left(pieces: int) -> None:
            unread = [each for place, each in enumerate(questions) if place not in begun]
            said = sum(len(turn.content) for each in unread for turn in each.conversation)
            self.limits.spend(caller, pieces + said // _CHARACTERS)

        items = watched(asked, self.metrics, answered, left)
        if first.stream:
            return await _streamed(items, envelope, field, include_usage=first.include_usage)
        answers = await _whole(items, field)
        if len(answers) < len(questions) * first.choices:
            return Response(status_code=CLIENT_LEFT)
        return JSONResponse(envelope.whole(answers))


async def watched(
    items: AsyncIterator[Said],
    metrics: Metrics,
    answered: Callable[[Answer], object],
    left: Callable[[int], object],
) -> AsyncIterator[Said]:
    """`items` as they are; `metrics` counts them, and `answered` is given each answer.

    `left` is told how many pieces were said of answers that have come to no end, where a client leaves or an
    answer takes too long; nothing of a request that was refused.
    """
    metrics.began()
    began, first = time.perf_counter(), True
    pieces: Counter[int] = Counter()
    refused = False
    try:
        async with aclosing(items) as opened:  # type: ignore[type-var]
            async for item in opened:
                if isinstance(item, Answer):
                    pieces.pop(item.choice, None)
                    answered(item)
                else:
                    pieces[item.choice] += 1
                    if first:
                        metrics.first_text(time.perf_counter() - began)
                        first = False
                yield item
    except Exception:
        refused = first
        raise
    finally:
        metrics.ended(has_text=not first)
        if not refused:
            left(pieces.total())


async def _whole(items: AsyncIterator[Said], field: str) -> list[Answer]:
    """The answers among `items`; some are missing if the client left."""
    try:
        async with aclosing(items) as opened:  # type: ignore[type-var]
            # To the very end: then the places that they took are free again.
            return [item async for item in opened if isinstance(item, Answer)]
    except Exception as error:
        raise _seen(error, field) from None


async def _streamed(
    items: AsyncIterator[Said], envelope: Envelope, field: str, *, include_usage: bool
) -> StreamingResponse:
    """A stream of events. What goes wrong before the first piece is still a reply with its own status."""
    try:
        first = await anext(items, None)
    except Exception as error:
        raise _seen(error, field) from None

    async def events() -> AsyncIterator[str]:
        answers: list[Answer] = []
        try:
            async with aclosing(items) as opened:  # type: ignore[type-var]
                for chunk in envelope.opening():
                    yield event(chunk)
                item = first
                while item is not None:
                    if isinstance(item, Answer):
                        answers.append(item)
                        yield event(envelope.closing(item))
                    else:
                        yield event(envelope.piece(item))
                    item = await anext(opened, None)
            if len(answers) == envelope.questions * envelope.choices:
                if include_usage:
                    yield event(envelope.counted(answers))
                yield "data: [DONE]\n\n"
        except Exception as error:
            yield event(_seen(error, field).body())

    return StreamingResponse(events(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _seen(error: Exception, field: str) -> RequestError:
    """The error for the client; one that nobody foresaw goes to the log."""
    fault = as_fault(error, asked=field)
    if fault.code == "internal_error":
        _log.error("a request failed", exc_info=error)
    return fault
