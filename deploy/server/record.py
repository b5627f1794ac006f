"""A line of JSON for each request, where `serve.log` asks for it: who asked, what it took, how it ended.

Questions and answers stand in it only under `json_with_texts`, keys never.
"""

import json
import logging
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deploy.answer import Answer
from deploy.messages import as_dicts
from deploy.server.guard import address_of
from deploy.server.replies import finish
from deploy.server.requests import ChatRequest
from deploy.server.watching import watchers

LOGGER = "threeply.requests"
_log = logging.getLogger(LOGGER)


@dataclass(slots=True)
class Record:
    """What is known of a request so far; `texts` says whether what was said may be kept."""

    texts: bool
    answers: list[dict[str, Any]] = field(default_factory=list)

    def answered(self, identifier: str, question: ChatRequest, answer: Answer) -> None:
        """Note an answer of the reply with this identifier."""
        layers = [name for name in ("prompt", "retrieval") if getattr(answer.layers, name)]
        noted: dict[str, Any] = {
            "id": identifier,
            "model": question.model,
            "layers": layers,
            "choice": answer.choice,
            "prompt_tokens": answer.prompt_tokens,
            "completion_tokens": answer.completion_tokens,
            "finish_reason": finish(answer),
            "search_seconds": round(answer.retrieval_seconds, 4),
            "seconds": round(answer.seconds, 4),
        }
        if self.texts:
            noted |= {
                "messages": as_dicts(question.conversation),
                "answer": answer.text,
                "sources": [source.document for source in answer.sources],
            }
        self.answers.append(noted)


class Recorded:
    """ASGI middleware that logs each request once its reply has ended, or whoever asked has left."""

    def __init__(self, app: ASGIApp, *, texts: bool) -> None:
        self._app, self._texts = app, texts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        record = Record(texts=self._texts)
        watchers(scope).append(record)
        began, status = time.perf_counter(), 0

        async def heard(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, heard)
        finally:
            told = {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "address": address_of(scope),
                "caller": scope["state"].get("caller"),
                "method": scope["method"],
                "path": scope["path"],
                "status": status or None,
                "seconds": round(time.perf_counter() - began, 4),
                "answers": record.answers,
            }
            _log.info(json.dumps(told))
