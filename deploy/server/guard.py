"""Who may do what: every route needs a key, but those that are listed as open."""

import logging
import re
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connection

from deploy.errors import ServeError
from deploy.knowledge.tags import Held
from deploy.server.faults import RequestError
from deploy.server.keys import KeyFile, Scope
from deploy.server.listening import LOOPBACK

_log = logging.getLogger(__name__)
# The pages, and whether the server is alive: none of it tells what is in the documents.
OPEN = re.compile(r"/|/page/[\w.-]+|/healthz|/readyz|/api|/openapi\.json")
# What a path needs, by method; a path that is not here needs the most.
NEEDS: Mapping[str, Mapping[re.Pattern[str], Scope]] = {
    "GET": {re.compile(r"/v1/models(/[^/]+)?|/v1/documents|/metrics"): "read"},
    # Who may ask may say what they think of what they were answered, and of nothing else.
    "POST": {re.compile(r"/v1/((chat/)?completions|embeddings|feedback|search)"): "read"},
    "PUT": {re.compile(r"/v1/documents/.+"): "write"},
    "DELETE": {re.compile(r"/v1/documents/.+"): "write", re.compile(r"/v1/feedback/[^/]+"): "read"},
}


def needed(method: str, path: str) -> Scope | None:
    """The scope that a request needs; None where anybody may."""
    method = "GET" if method == "HEAD" else method
    if method == "GET" and OPEN.fullmatch(path):
        return None
    fitting = (scope for route, scope in NEEDS.get(method, {}).items() if route.fullmatch(path))
    return next(fitting, "admin")


def address_of(scope: Connection) -> str:
    """The address that a request comes from."""
    return str((scope.get("client") or ("unknown",))[0])


class Guard:
    """ASGI middleware that lets a request through if its key opens what it asks for.

    Without a file of keys everybody may ask, and who is on this machine may do all; they hold the tags
    `unkeyed`. The name of the key, or else the address that the request comes from, is `caller` in the state
    of the request; `held` are the tags of documents that it may see, None all of them.
    """

    def __init__(self, app: ASGIApp, *, keys: KeyFile | None, unkeyed: Held = frozenset()) -> None:
        self._app, self._keys, self._unkeyed = app, keys, unkeyed

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] == "http":
            try:
                caller, held = self._caller(scope)
                scope.setdefault("state", {}).update(caller=caller, held=held)
            except RequestError as fault:
                reply = JSONResponse(fault.body(), status_code=fault.status, headers=fault.headers)
                await reply(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _caller(self, scope: Connection) -> tuple[str, Held]:
        wanted = needed(scope["method"], scope["path"])
        address = address_of(scope)
        if wanted is None or (self._keys is None and (wanted == "read" or address in LOOPBACK)):
            return address, self._unkeyed
        if self._keys is None:
            told = f"this needs {wanted}, which without keys is for this machine alone: set serve.keys"
            raise RequestError(403, told, "insufficient_scope")
        kind, _, secret = Headers(scope=scope).get("authorization", "").partition(" ")
        try:
            key = self._keys.holder(secret.strip()) if kind.lower() == "bearer" else None
        except ServeError as error:
            _log.error("nobody is let in: %s", error)
            told = (
                "the keys cannot be read; the server's log tells why"  # and where they lie: not to strangers
            )
            raise RequestError(500, told, "not_answered") from None
        if key is None:
            raise RequestError(
                401,
                "send a key of this server: Authorization: Bearer KEY; whoever runs it makes one with "
                "threeply key add",
                "invalid_api_key",
                headers={"WWW-Authenticate": "Bearer"},
            )
        if not key.opens(wanted):
            told = f"the key {key.name} may {key.scope}, and this needs {wanted}"
            raise RequestError(403, told, "insufficient_scope")
        return key.name, key.held
