"""Reads the body of a request, and no more of it than is allowed."""

from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from deploy.files import parse_json
from deploy.server.faults import CLIENT_LEFT, RequestError, refused

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)
JSON = "application/json"


def content_type(request: Request) -> tuple[str, str]:
    """What a request says its body is, such as `text/html`, and its encoding; empty where it says nothing."""
    kind, *parameters = request.headers.get("content-type", "").split(";")
    named = (each.partition("=") for each in parameters)
    charset = next((value for name, _, value in named if name.strip().lower() == "charset"), "")
    return kind.strip().lower(), charset.strip().strip("\"'")


async def read_body(request: Request, limit: int) -> bytes:
    """The body of a JSON request, never more than `limit` bytes of it.

    Raises:
        RequestError: it is longer, or is not declared as JSON, as a form on a foreign page could not be.
    """
    if content_type(request)[0] != JSON:
        raise RequestError(415, f"send the header Content-Type: {JSON}", "unsupported_media_type")
    return await read_bytes(request, limit)


async def read_bytes(request: Request, limit: int) -> bytes:
    """The body of any request, never more than `limit` bytes of it.

    Raises:
        RequestError: it is longer, or the client left before its end.
    """
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > limit:
                raise RequestError(413, f"the body is longer than {limit} bytes", "body_too_large")
    except ClientDisconnect:
        raise RequestError(CLIENT_LEFT, "the client left before the end of the body", "client_left") from None
    return bytes(body)


def made(kind: type[M], **fields: Any) -> M:
    """What a request says elsewhere than in a JSON body, as `kind` has it.

    Raises:
        RequestError: a field is wrong.
    """
    try:
        return kind(**fields)
    except ValidationError as error:
        raise refused(error) from None


def read(kind: type[T], body: bytes) -> T:
    """What the body of a request holds.

    Raises:
        RequestError: it holds something else.
    """
    try:
        return parse_json(body, kind)
    except (ValueError, RecursionError) as error:
        raise RequestError(400, f"the body is wrong: {error}", "invalid_value") from None
