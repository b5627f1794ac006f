"""The route /v1/chat/completions: answers to a conversation."""

from fastapi import FastAPI, Request
from fastapi.responses import Response

from deploy.server.answering import Answering
from deploy.server.bodies import read_body
from deploy.server.described import STREAMED, taking
from deploy.server.live import Live
from deploy.server.replies import ChatEnvelope
from deploy.server.requests import ChatBody, read_request
from deploy.settings import ServeSettings


def add_chat_route(app: FastAPI, live: Live, settings: ServeSettings, answering: Answering) -> None:
    """Give `app` the route that answers by what is `live`."""

    @app.post(
        "/v1/chat/completions",
        response_model=None,
        openapi_extra=taking(ChatBody),
        responses=STREAMED,
    )
    async def chat(request: Request) -> Response:
        answering.limits.admit(request.state.caller)
        body = await read_body(request, settings.max_body_bytes)
        now = live.now  # to the end of this request, whatever is released meanwhile
        question = read_request(body, settings=settings, served=now)
        return await answering.reply(
            request, [question], now, kind=ChatEnvelope, prefix="chatcmpl", field="messages"
        )
