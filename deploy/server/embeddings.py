"""The route /v1/embeddings: texts as the vectors that the search compares."""

import asyncio
import base64
from collections.abc import Callable
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import FastAPI, Request
from pydantic import BaseModel, Field

from deploy.documents.live import LiveKnowledge
from deploy.knowledge.embedder import SentenceEmbedder
from deploy.knowledge.store import KnowledgeStore
from deploy.server.bodies import read, read_body
from deploy.server.described import taking
from deploy.server.faults import RequestError
from deploy.server.limits import Limits
from deploy.server.live import Live
from deploy.server.places import Places
from deploy.settings import ServeSettings

NAME = "embedder"  # what a request calls the model
MOST_TEXTS = 256
_AT_ONCE = 8  # texts: questions that are searched meanwhile wait for no more of them
Text = Annotated[str, Field(min_length=1)]


class EmbeddingKind(BaseModel, extra="forbid"):
    """What the texts are: embedders may read questions in another way."""

    kind: Literal["document", "query"] = "document"


class EmbeddingsBody(BaseModel, extra="forbid"):
    """What a request sends."""

    input: Text | Annotated[list[Text], Field(min_length=1, max_length=MOST_TEXTS)]
    model: str
    encoding_format: Literal["float", "base64"] = "float"
    user: str | None = None
    threeply: EmbeddingKind = EmbeddingKind()


def add_embedding_route(
    app: FastAPI, live: Live, settings: ServeSettings, limits: Limits, searching: Places
) -> None:
    """Give `app` the route to the embedder of what is `live`; a request takes a place of `searching`."""

    @app.post(
        "/v1/embeddings",
        summary="The vectors of texts, as the search has them",
        openapi_extra=taking(EmbeddingsBody),
    )
    async def embeddings(request: Request) -> dict[str, Any]:
        caller = request.state.caller
        limits.admit(caller)
        given = read(EmbeddingsBody, await read_body(request, settings.max_body_bytes))
        if given.model != NAME:
            told = f"no model for embeddings is called {given.model!r}; there is: {NAME}"
            raise RequestError(404, told, "model_not_found", "model")
        texts = [given.input] if isinstance(given.input, str) else given.input
        embedder = embedder_of(live)
        with searching.taken():
            counts = await asyncio.to_thread(embedder.count_tokens, texts)
            for place, count in enumerate(counts):
                if count > embedder.max_tokens:
                    most = embedder.max_tokens
                    told = f"text {place + 1} has {count} tokens; at most {most} are read: cut it"
                    raise RequestError(400, told, "context_length_exceeded", "input")
            limits.spend(caller, sum(counts))
            embed = embedder.embed_queries if given.threeply.kind == "query" else embedder.embed_texts
            rows: list[np.ndarray] = []
            for start in range(0, len(texts), _AT_ONCE):
                if await request.is_disconnected():
                    break
                rows += list(await asyncio.to_thread(embed, texts[start : start + _AT_ONCE]))
        told_as = _written(given.encoding_format)
        return {
            "object": "list",
            "data": [
                {"object": "embedding", "index": index, "embedding": told_as(row)}
                for index, row in enumerate(rows)
            ],
            "model": NAME,
            "usage": {"prompt_tokens": sum(counts), "total_tokens": sum(counts)},
        }


def embedder_of(live: Live) -> SentenceEmbedder:
    """The embedder that the knowledge of what is live is searched with.

    Raises:
        RequestError: nothing is searched.
    """
    knowledge = live.now.assistant.knowledge
    store = knowledge.store if isinstance(knowledge, LiveKnowledge) else knowledge
    embedder = store.embedder if isinstance(store, KnowledgeStore) else None
    if not isinstance(embedder, SentenceEmbedder):
        raise RequestError(404, "nothing is embedded here: the bundle has no documents", "no_documents")
    return embedder


def _written(form: Literal["float", "base64"]) -> Callable[[np.ndarray], Any]:
    """How a vector is written: as numbers, or as OpenAI's clients ask for it by default, which is shorter."""
    if form == "float":
        return lambda row: [float(value) for value in row]
    return lambda row: base64.b64encode(np.asarray(row, dtype="<f4").tobytes()).decode()
