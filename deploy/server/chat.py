"""The route /v1/chat/completions: answers to a conversation."""

from fastapi import FastAPI

from deploy.server.answering import Answering
from deploy.server.replies import ChatEnvelope
from deploy.server.requests import ChatBody, read_request


def add_chat_route(app: FastAPI, answering: Answering) -> None:
    """Give `app` the route that answers conversations."""
    answering.add_route(
        app,
        "/v1/chat/completions",
        body=ChatBody,
        read=lambda body, settings, served: [read_request(body, settings=settings, served=served)],
        kind=ChatEnvelope,
        prefix="chatcmpl",
        field="messages",
        summary="Answer a conversation, whole or as a stream",
    )
