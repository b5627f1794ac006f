"""The routes that change and search what is known: /v1/documents and /v1/search."""

import asyncio
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import FastAPI, Request
from pydantic import Field

from deploy.documents.live import LiveKnowledge
from deploy.documents.names import NAME_WANTED, is_name
from deploy.knowledge.chunking import KnowledgeDocument
from deploy.server.bodies import read, read_body
from deploy.server.described import taking
from deploy.server.faults import RequestError
from deploy.server.feedback import Feedback
from deploy.server.finding import Finding, found_by
from deploy.server.limits import Limits
from deploy.server.live import Live
from deploy.server.places import Places
from deploy.server.sent import DocumentBody, Sent
from deploy.server.threads import in_thread
from deploy.settings import ServeSettings

_MOST_VALUES = 100  # of each filter that are listed
_PUT_AT_ONCE = 4  # documents; each keeps a thread of those that searches need as well


class SearchBody(Finding):
    """What is looked for."""

    query: Annotated[str, Field(min_length=1)]


def add_document_routes(
    app: FastAPI,
    live: Live,
    settings: ServeSettings,
    limits: Limits,
    searching: Places,
    feedback: Feedback | None,
) -> None:
    """Give `app` the routes on documents of what is `live`; each search takes a place of `searching`.

    `feedback` forgets the passages of what is deleted or replaced.
    """

    async def forget(name: str) -> None:
        if feedback is not None:
            await feedback.forget(name)

    sent = Sent(settings)
    putting = Places(_PUT_AT_ONCE, busy=f"{_PUT_AT_ONCE} documents are being added", come_again=5)

    @app.get("/v1/documents", summary="The documents that were added")
    async def listed(request: Request) -> dict[str, Any]:
        known = changeable(live)
        held = request.state.held
        found = await asyncio.to_thread(known.documents, held)
        values = await asyncio.to_thread(known.values, held)
        filters = {name: each[:_MOST_VALUES] for name, each in values.items()}
        in_bundle = known.store.num_documents - len(known.store.access.closed(held))
        added = [_told(*each) for each in found]
        return {"object": "list", "data": added, "in_bundle": in_bundle, "filters": filters}

    @app.put(
        "/v1/documents/{name:path}",
        summary="Add a document, or replace it: as JSON, Markdown, HTML, PDF or plain text",
        openapi_extra=taking(DocumentBody),
    )
    async def put(name: str, request: Request) -> dict[str, Any]:
        limits.admit(request.state.caller)
        known = changeable(live)  # before a file is read in vain
        _check_name(name)
        held = request.state.held
        await in_thread(lambda: known.check_open(name, held))
        document, notes = await sent.read(name, request, known)
        was_there = await in_thread(lambda: known.has(name))
        with putting.taken():
            chunks = await in_thread(lambda: changeable(live).put(document, held))
        if was_there:
            await forget(name)
        return {**_told(document, chunks), "notes": notes}

    @app.delete("/v1/documents/{name:path}", summary="Delete a document; it is found no more")
    async def delete(name: str, request: Request) -> dict[str, Any]:
        limits.admit(request.state.caller)
        held = request.state.held
        if not await in_thread(lambda: changeable(live).delete(name, held)):
            raise RequestError(404, f"no document is called {name[:300]!r}", "document_not_found", "name")
        await forget(name)
        return {"id": name, "object": "document", "deleted": True}

    @app.post("/v1/search", summary="The passages that fit a question", openapi_extra=taking(SearchBody))
    async def search(request: Request) -> dict[str, Any]:
        limits.admit(request.state.caller)
        given = read(SearchBody, await read_body(request, settings.max_body_bytes))
        if len(given.query) > settings.max_message_characters:
            told = f"the query has {len(given.query)} characters; at most {settings.max_message_characters}"
            raise RequestError(400, told, "query_too_long", "query")
        everything = live.now.assistant.knowledge
        knowledge = found_by(everything, request.state.held, given.wanted, field="where")
        if knowledge is None:
            raise RequestError(404, "nothing is searched here: the bundle has no documents", "no_documents")
        with searching.taken():
            [hits] = await asyncio.to_thread(knowledge.search, [given.query])
        return {"object": "list", "data": [{"object": "passage", **asdict(hit)} for hit in hits]}


def changeable(live: Live) -> LiveKnowledge:
    """The documents of what is live, which can be changed.

    Raises:
        RequestError: they cannot.
    """
    knowledge = live.now.assistant.knowledge
    if not isinstance(knowledge, LiveKnowledge):
        told = "documents cannot be changed here: serve.documents in params.yaml is null"
        raise RequestError(404, told, "documents_are_fixed")
    return knowledge


def _check_name(name: str) -> None:
    if not is_name(name):
        told = f"{name[:300]!r} is no name for a document: {NAME_WANTED}"
        raise RequestError(400, told, "invalid_value", "name")


def _told(document: KnowledgeDocument, chunks: int) -> dict[str, Any]:
    return {
        "id": document.id,
        "object": "document",
        "title": document.title,
        "uri": document.uri,
        "characters": len(document.text),
        "passages": chunks,
        "tags": document.tags,
        "metadata": document.metadata,
    }
