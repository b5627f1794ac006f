"""Documents as clients send them: as JSON, or as a file with its content type."""

from collections.abc import Collection
from typing import Annotated

from fastapi import Request
from pydantic import BaseModel, Field

from deploy.documents.live import LiveKnowledge
from deploy.documents.reading.formats import TYPES, by_type, read_document
from deploy.documents.reading.reading import Reading
from deploy.documents.wanted import LONGEST_VALUE, MOST_NAMES, check_filters, spelled_metadata
from deploy.errors import FilterError, SettingsError
from deploy.knowledge.chunking import KnowledgeDocument
from deploy.knowledge.tags import TAG, Held
from deploy.server.bodies import JSON, content_type, made, read, read_body, read_bytes
from deploy.server.faults import RequestError
from deploy.server.places import Places
from deploy.server.threads import in_thread
from deploy.settings import ServeSettings

_LONGEST_TITLE = 300  # characters
_READ_AT_ONCE = 2  # files: each may take a core, and as much memory as it is allowed


class Described(BaseModel, extra="forbid"):
    """Who sees a document, and by what else than its text it is found."""

    tags: Annotated[list[Annotated[str, Field(pattern=rf"^{TAG.pattern}$")]], Field(max_length=16)] = []
    metadata: Annotated[
        dict[str, Annotated[str, Field(min_length=1, max_length=LONGEST_VALUE)]], Field(max_length=MOST_NAMES)
    ] = {}


class DocumentBody(Described):
    """A document to be known."""

    text: Annotated[str, Field(min_length=1)]
    title: Annotated[str, Field(max_length=_LONGEST_TITLE)] = ""
    uri: Annotated[str, Field(max_length=2000)] = ""


class Sent:
    """Reads what is sent, within the limits of `settings` and a few files at a time."""

    def __init__(self, settings: ServeSettings) -> None:
        self._settings = settings
        self._reading = Places(_READ_AT_ONCE, busy=f"{_READ_AT_ONCE} files are being read", come_again=5)

    async def read(
        self, name: str, request: Request, known: LiveKnowledge
    ) -> tuple[KnowledgeDocument, tuple[str, ...]]:
        """The document called `name` that a request sends, and what to say of its reading.

        Raises:
            RequestError: it is no document, or may not be given its tags or its metadata.
        """
        held, keyed = request.state.held, self._settings.keys is not None
        notes: tuple[str, ...] = ()
        if content_type(request)[0] == JSON:
            given = read(DocumentBody, await read_body(request, self._settings.max_body_bytes))
            _check(given, held, known, keyed=keyed)
        else:
            told = _described(request)
            _check(told, held, known, keyed=keyed)
            with self._reading.taken():
                reading = await _read_file(request, self._settings.max_document_bytes)
            title = reading.title[:_LONGEST_TITLE]
            given = made(DocumentBody, text=reading.text, title=title, **told.model_dump())
            notes = reading.notes
        document = KnowledgeDocument(
            id=name,
            uri=given.uri or f"added:{name}",
            title=given.title or name,
            text=given.text,
            tags=tuple(sorted({*given.tags})),
            metadata=given.metadata,
        )
        return document, notes


async def _read_file(request: Request, limit: int) -> Reading:
    """The document that is sent as a file."""
    kind, charset = content_type(request)
    reader = by_type(kind)
    if reader is None:
        taken = ", ".join((JSON, *TYPES))
        told = f"Content-Type is {kind[:100] or 'missing'}; what is read here is one of {taken}"
        raise RequestError(415, told, "unsupported_media_type")
    content = await read_bytes(request, limit)
    return await in_thread(lambda: read_document(content, reader, charset))


def _described(request: Request) -> Described:
    """What the address says of a file: `?tag=staff&metadata=product=kiln`, each as often as wanted."""
    asked = request.query_params
    try:
        metadata = spelled_metadata(asked.getlist("metadata"))
    except SettingsError as error:
        raise RequestError(400, str(error), "invalid_value", "metadata") from None
    return made(Described, tags=asked.getlist("tag"), metadata=metadata)


def _check(given: Described, held: Held, known: LiveKnowledge, *, keyed: bool) -> None:
    """Return if a document may be given this by who holds the tags `held`."""
    _check_tags(given.tags, held, keyed=keyed)
    try:
        check_filters(given.metadata, known.filters)
    except FilterError as error:
        raise RequestError(400, str(error), "unknown_filter", "metadata") from None


def _check_tags(tags: Collection[str], held: Held, *, keyed: bool) -> None:
    """Return if a document may be given these tags by who holds `held`: None holds all of them."""
    if tags and not keyed:
        told = "tags say which keys see a document, and there are none here: set serve.keys"
        raise RequestError(400, told, "tags_need_keys", "tags")
    if held is not None and (foreign := sorted(set(tags).difference(held))):
        told = f"this key does not hold the tag {foreign[0]}, so it cannot answer for whom it lets see it"
        raise RequestError(403, told, "insufficient_scope", "tags")
