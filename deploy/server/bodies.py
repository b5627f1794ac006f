"""Reads the body of a request, and no more of it than is allowed."""

from typing import TypeVar

from fastapi import Request

from deploy.files import parse_json
from deploy.server.faults import RequestError

T = TypeVar("T")


async def read_body(request: Request, limit: int) -> bytes:
    """The body of a JSON request, never more than `limit` bytes of it.

    Raises:
        RequestError: it is longer, or is not declared as JSON, as a form on a foreign page could not be.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        raise RequestError(415, "send the header Content-Type: application/json", "unsupported_media_type")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise RequestError(413, f"the body is longer than {limit} bytes", "body_too_large")
    return bytes(body)


def read(kind: type[T], body: bytes) -> T:
    """What the body of a request holds.

    Raises:
        RequestError: it holds something else.
    """
    try:
        return parse_json(body, kind)
    except (ValueError, RecursionError) as error:
        raise RequestError(400, f"the body is wrong: {error}", "invalid_value") from None
