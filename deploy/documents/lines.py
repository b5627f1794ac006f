"""Documents as lines of JSON: each an object with `id` and `text`, and with what else is known of it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ValidationError

from deploy.documents.names import NAME_WANTED, is_name
from deploy.errors import DocumentError
from deploy.knowledge.chunking import KnowledgeDocument
from deploy.knowledge.tags import TAG, WANTED

SUFFIX = ".jsonl"
MOST_LINE_BYTES = 32 * 2**20
_SURROGATE = re.compile("[\ud800-\udfff]")


class _Line(BaseModel, extra="forbid", strict=True):
    id: str
    text: str
    title: str = ""
    uri: str = ""
    tags: list[str] = []
    metadata: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no document; lines count from 1."""

    number: int
    error: DocumentError


def read_lines(path: Path) -> Iterator[KnowledgeDocument | BadLine]:
    """What each line of the file is, in order; blank lines are nothing.

    Raises:
        DocumentError: the file cannot be opened.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise DocumentError(f"it cannot be opened: {error.strerror or error}", reason="unreadable") from None
    with file:
        number = 0
        while line := file.readline(MOST_LINE_BYTES + 1):
            number += 1
            if not line.strip():
                continue
            try:
                yield _document(line, file, uri=f"file:{path}:{number}")
            except DocumentError as error:
                yield BadLine(number, error)


def _document(line: bytes, file: BinaryIO, *, uri: str) -> KnowledgeDocument:
    if len(line) > MOST_LINE_BYTES:
        while line and not line.endswith(b"\n"):  # to the end of it, so that the next line is the next
            line = file.readline(MOST_LINE_BYTES)
        told = f"it has more than {MOST_LINE_BYTES // 2**20} MiB; split it"
        raise DocumentError(told, reason="too_large")
    try:
        read = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise DocumentError("it is no text in UTF-8; save it as UTF-8", reason="not_utf8") from None
    except (ValueError, RecursionError):
        raise DocumentError("it is no JSON", reason="broken_json") from None
    try:
        given = _Line.model_validate(read)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise DocumentError(
            f"{where}: {first['msg'].lower()}; a document has {', '.join(_Line.model_fields)}",
            reason="wrong_shape",
        ) from None
    if _SURROGATE.search("".join((given.id, given.text, given.title, given.uri, *given.metadata.values()))):
        raise DocumentError("it has halves of characters (surrogates), which are no text", reason="not_utf8")
    if not is_name(given.id):
        raise DocumentError(
            f"{given.id[:80]!r} is no name for a document: {NAME_WANTED}", reason="wrong_name"
        )
    if strange := [tag for tag in given.tags if not TAG.fullmatch(tag)]:
        raise DocumentError(f"{strange[0][:80]!r} is no tag; it should be {WANTED}", reason="wrong_tag")
    if not given.text.strip():
        raise DocumentError("there is no text in it", reason="no_text")
    return KnowledgeDocument(
        id=given.id,
        uri=given.uri or uri,
        title=given.title or given.id,
        text=given.text,
        tags=tuple(given.tags),
        metadata=given.metadata,
    )
