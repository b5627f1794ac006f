"""The server's own description: /openapi.json, made of what the requests are read by."""

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

_PLACE = "#/components/schemas/{model}"
_ERROR = {
    "description": "What is wrong, in one sentence, with the field that it is about",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["error"],
                "properties": {
                    "error": {
                        "type": "object",
                        "required": ["message", "type", "param", "code"],
                        "properties": {
                            "message": {"type": "string"},
                            "type": {"enum": ["invalid_request_error", "server_error"]},
                            "param": {"type": ["string", "null"]},
                            "code": {"type": "string"},
                        },
                    }
                },
            }
        }
    },
}

# One event of a stream: a chunk of the reply as JSON, or [DONE].
_EVENT = {"type": "object", "required": ["data"], "properties": {"data": {"type": "string"}}}
# What the routes say of themselves whose replies may come as a stream.
STREAMED: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {"schema": _EVENT}}}}


def taking(body: type[BaseModel]) -> dict[str, Any]:
    """What a route says of itself that reads `body` as JSON: `openapi_extra` of it."""
    place = {"$ref": _PLACE.format(model=body.__name__)}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": place}}}}


def describe(app: FastAPI, bodies: Sequence[type[BaseModel]], *, keyed: bool) -> Callable[[], dict[str, Any]]:
    """Serve the description of `app` at /openapi.json, and give it back.

    `bodies` are those that its routes are `taking`; `keyed` says that requests need a key.
    """

    def description() -> dict[str, Any]:
        app.openapi_schema = app.openapi_schema or _described(app, bodies, keyed)
        return app.openapi_schema

    async def served() -> dict[str, Any]:
        return description()

    readable(app, "/openapi.json", include_in_schema=False)(served)
    return description


def readable(app: FastAPI, path: str, **named: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Makes of a function the route that answers GET and HEAD; the description has it once."""

    def added(reply: Callable[..., Any]) -> Callable[..., Any]:
        app.get(path, **named)(reply)
        app.head(path, **{**named, "include_in_schema": False})(reply)
        return reply

    return added


def _described(app: FastAPI, bodies: Sequence[type[BaseModel]], keyed: bool) -> dict[str, Any]:
    description = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    _, found = models_json_schema([(body, "validation") for body in bodies], ref_template=_PLACE)
    components: dict[str, Any] = {"schemas": found.get("$defs", {})}
    if keyed:
        components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        description["security"] = [{"key": []}]
    description["components"] = components
    for operations in description["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)  # requests are read, and refused, by ourselves
            operation["responses"] |= {"4XX": _ERROR, "5XX": _ERROR}
    return description
