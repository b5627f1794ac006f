"""Reads the body of a request, and no more of it than is allowed."""

from fastapi import Request

from deploy.server.faults import RequestError

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
        RequestError: it is longer.
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise RequestError(413, f"the body is longer than {limit} bytes", "body_too_large")
    return bytes(body)
