"""The routes that take what people think of their answers: /v1/feedback.

A rating names a completion, or one of its choices. What was asked, answered and cited is what the server
remembers of it: a client can rate its own answers alone, and claim nothing about them.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import FastAPI, Request
from pydantic import BaseModel, Field

from deploy.answer import Answer
from deploy.errors import FeedbackError
from deploy.feedback.answers import GivenAnswer, RecentAnswers
from deploy.feedback.store import FeedbackStore, Rated, Rating
from deploy.server.bodies import read, read_body
from deploy.server.described import taking
from deploy.server.faults import RequestError
from deploy.server.limits import Limits
from deploy.server.replies import Envelope
from deploy.server.requests import ChatRequest
from deploy.settings import ServeSettings

T = TypeVar("T")
_log = logging.getLogger(__name__)


class FeedbackBody(BaseModel, extra="forbid"):
    """What somebody thinks of an answer."""

    id: Annotated[str, Field(min_length=1)]
    rating: Rating
    better: Annotated[str, Field(pattern=r"\S")] | None = None


class Feedback:
    """The last answers of a server, and what those who were given them think of them."""

    def __init__(self, store: FeedbackStore) -> None:
        self.store, self._recent = store, RecentAnswers()

    @property
    def moment(self) -> int:
        """When it is, for `remember`."""
        return self._recent.moment

    def remember(
        self, answer: Answer, question: ChatRequest, envelope: Envelope, caller: str, *, since: int
    ) -> None:
        """Remember an answer that was begun at the moment `since`, so that `caller` can rate it."""
        given = GivenAnswer(
            id=envelope.name(answer.choice),
            conversation=question.conversation,
            text=answer.text,
            model=envelope.model,
            release=envelope.fingerprint,
            layers=answer.layers,
            citations=answer.citations,
            sources=answer.sources,
            finished=answer.finished,
            created=envelope.created,
        )
        self._recent.add(given, caller, since=since)

    async def forget(self, document: str) -> None:
        """Let go of the passages of a document that is there no more, or says something else now."""
        self._recent.forget(document)
        await _asked(lambda: self.store.forget(document))

    async def rate(self, name: str, rating: Rating, better: str | None, caller: str) -> Rated:
        """Keep what `caller` thinks of the answer of this id, without the passages of what went meanwhile.

        Raises:
            RequestError: as `answer`.
        """
        since = self.moment
        answer = await self.answer(name, caller)
        rated = Rated(answer=answer, rating=rating, better=better, rated=int(time.time()))
        await _asked(lambda: self.store.put(rated, caller))
        for document in self._recent.gone(answer, since):
            await self.forget(document)
        return rated

    async def answer(self, name: str, caller: str) -> GivenAnswer:
        """The answer of this id, if `caller` was given it: a recent one, or one that they have rated before.

        Raises:
            RequestError: it is not known, or was given to somebody else; which of them is not told.
        """
        if (recent := self._recent.of(name, caller)) is not None:
            return recent
        rated = await _asked(lambda: self.store.of(name, caller))
        if rated is None:
            raise _unknown(name)
        return rated.answer


def add_feedback_routes(
    app: FastAPI, feedback: Feedback | None, limits: Limits, settings: ServeSettings
) -> None:
    """Give `app` the routes on `feedback`; where it is None they say so."""

    @app.post("/v1/feedback", summary="Say what you think of an answer", openapi_extra=taking(FeedbackBody))
    async def rate(request: Request) -> dict[str, Any]:
        taken = _taken(feedback)
        limits.admit(request.state.caller)
        given = read(FeedbackBody, await read_body(request, settings.max_body_bytes))
        _check(given, settings.max_message_characters)
        rated = await taken.rate(given.id, given.rating, given.better, request.state.caller)
        return {"id": rated.answer.id, "object": "feedback", "rating": rated.rating, "better": rated.better}

    @app.delete("/v1/feedback/{name}", summary="Take back what you thought of an answer")
    async def withdraw(name: str, request: Request) -> dict[str, Any]:
        taken = _taken(feedback)
        limits.admit(request.state.caller)
        if not await _asked(lambda: taken.store.withdraw(name, request.state.caller)):
            raise _unknown(name)
        return {"id": name, "object": "feedback", "deleted": True}


def _taken(feedback: Feedback | None) -> Feedback:
    if feedback is None:
        told = "nobody is asked what they think here: serve.feedback in params.yaml is null"
        raise RequestError(404, told, "feedback_is_off")
    return feedback


def _check(given: FeedbackBody, longest: int) -> None:
    if given.better is None:
        return
    if given.rating == "up":
        told = "better says what would have been right instead: send it with the rating down, or leave it out"
        raise RequestError(400, told, "invalid_value", "better")
    if (length := len(given.better)) > longest:
        told = f"better has {length} characters; at most {longest} are kept: shorten it"
        raise RequestError(400, told, "message_too_long", "better")


def _unknown(name: str) -> RequestError:
    told = (
        f"no answer of yours is known as {name[:100]!r}: the last answers can be rated, until the server is "
        "started anew; ask again, and rate that answer"
    )
    return RequestError(404, told, "answer_not_found", "id")


async def _asked(step: Callable[[], T]) -> T:
    """What a step on the store gives, in a thread of its own; that it fails is not the client's doing."""
    try:
        return await asyncio.to_thread(step)
    except FeedbackError as error:
        _log.error("a rating was not kept: %s", error)
        told = "the ratings cannot be read or kept now; the server's log tells why"  # where they lie, too
        raise RequestError(503, told, "not_kept") from None
