"""The routes that change and search what is known: /v1/documents and /v1/search."""

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import asdict
from typing import Annotated, Any, TypeVar

from fastapi import FastAPI, Request
from pydantic import BaseModel, Field

from deploy.documents.live import LiveKnowledge
from deploy.documents.names import NAME_WANTED, is_name
from deploy.documents.reading.formats import TYPES, by_type, read_document
from deploy.documents.reading.reading import Reading
from deploy.documents.seen import seen_by
from deploy.errors import ClosedError, KnowledgeError, NotKeptError
from deploy.knowledge.chunking import KnowledgeDocument
from deploy.knowledge.tags import TAG, Held
from deploy.server.bodies import JSON, content_type, made, read, read_body, read_bytes
from deploy.server.described import taking
from deploy.server.faults import RequestError
from deploy.server.feedback import Feedback
from deploy.server.limits import Limits
from deploy.server.live import Live
from deploy.server.places import Places
from deploy.server.wishes import Beginnings
from deploy.settings import ServeSettings

_log = logging.getLogger(__name__)
T = TypeVar("T")
Text = Annotated[str, Field(min_length=1)]
_LONGEST_TITLE = 300  # characters
_READ_AT_ONCE = 2  # files: each may take a core, and as much memory as it is allowed


class Tagged(BaseModel, extra="forbid"):
    """Who sees a document."""

    tags: Annotated[list[Annotated[str, Field(pattern=rf"^{TAG.pattern}$")]], Field(max_length=16)] = []


class DocumentBody(Tagged):
    """A document to be known."""

    text: Text
    title: Annotated[str, Field(max_length=_LONGEST_TITLE)] = ""
    uri: Annotated[str, Field(max_length=2000)] = ""


class SearchBody(BaseModel, extra="forbid"):
    """What is looked for; `documents` are how the ids of those begin that may be found, none: all."""

    query: Text
    documents: Beginnings = []


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

    reading_files = Places(_READ_AT_ONCE, busy=f"{_READ_AT_ONCE} files are being read", come_again=5)

    @app.get("/v1/documents", summary="The documents that were added")
    async def listed(request: Request) -> dict[str, Any]:
        known = changeable(live)
        held = request.state.held
        found = await asyncio.to_thread(known.documents, held)
        in_bundle = known.store.num_documents - len(known.store.access.closed(held))
        return {"object": "list", "data": [_told(*each) for each in found], "in_bundle": in_bundle}

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
        await _in_thread(lambda: known.check_open(name, held))
        notes: tuple[str, ...] = ()
        keyed = settings.keys is not None
        if content_type(request)[0] == JSON:
            given = read(DocumentBody, await read_body(request, settings.max_body_bytes))
            _check_tags(given.tags, held, keyed=keyed)
        else:
            tags = made(Tagged, tags=request.query_params.getlist("tag")).tags
            _check_tags(tags, held, keyed=keyed)
            with reading_files.taken():
                reading = await _read_file(request, settings.max_document_bytes)
            given = made(DocumentBody, text=reading.text, title=reading.title[:_LONGEST_TITLE], tags=tags)
            notes = reading.notes
        document = KnowledgeDocument(
            id=name,
            uri=given.uri or f"added:{name}",
            title=given.title or name,
            text=given.text,
            tags=tuple(sorted({*given.tags})),
        )
        was_there = await _in_thread(lambda: known.has(name))
        chunks = await _in_thread(lambda: changeable(live).put(document, held))
        if was_there:
            await forget(name)
        return {**_told(document, chunks), "notes": notes}

    @app.delete("/v1/documents/{name:path}", summary="Delete a document; it is found no more")
    async def delete(name: str, request: Request) -> dict[str, Any]:
        limits.admit(request.state.caller)
        held = request.state.held
        if not await _in_thread(lambda: changeable(live).delete(name, held)):
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
        knowledge = seen_by(live.now.assistant.knowledge, request.state.held, given.documents)
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


async def _read_file(request: Request, limit: int) -> Reading:
    """The document that is sent as a file."""
    kind, charset = content_type(request)
    reader = by_type(kind)
    if reader is None:
        taken = ", ".join((JSON, *TYPES))
        told = f"Content-Type is {kind[:100] or 'missing'}; what is read here is one of {taken}"
        raise RequestError(415, told, "unsupported_media_type")
    content = await read_bytes(request, limit)
    return await _in_thread(lambda: read_document(content, reader, charset))


async def _in_thread(work: Callable[[], T]) -> T:
    """What `work` gives, in a thread of its own; what it refuses is the client's to mend."""
    try:
        return await asyncio.to_thread(work)
    except ClosedError as error:
        raise RequestError(403, str(error), "name_is_taken", "name") from None
    except NotKeptError as error:
        _log.error("a change of documents was not kept: %s", error)
        told = "documents cannot be changed now; the server's log tells why"  # where they lie, too
        raise RequestError(503, told, "not_kept") from None
    except KnowledgeError as error:
        raise RequestError(400, str(error), "not_added") from None


def _check_name(name: str) -> None:
    if not is_name(name):
        told = f"{name[:300]!r} is no name for a document: {NAME_WANTED}"
        raise RequestError(400, told, "invalid_value", "name")


def _check_tags(tags: Collection[str], held: Held, *, keyed: bool) -> None:
    """Return if a document may be given these tags by who holds `held`: None holds all of them."""
    if tags and not keyed:
        told = "tags say which keys see a document, and there are none here: set serve.keys"
        raise RequestError(400, told, "tags_need_keys", "tags")
    if held is not None and (foreign := sorted(set(tags).difference(held))):
        told = f"this key does not hold the tag {foreign[0]}, so it cannot answer for whom it lets see it"
        raise RequestError(403, told, "insufficient_scope", "tags")


def _told(document: KnowledgeDocument, chunks: int) -> dict[str, Any]:
    return {
        "id": document.id,
        "object": "document",
        "title": document.title,
        "uri": document.uri,
        "characters": len(document.text),
        "passages": chunks,
        "tags": document.tags,
    }
