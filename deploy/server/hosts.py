"""The names that the server may be called by: a page of another origin could give its own name this address.

The answers would then be that page's to read, for to the browser they would be of one origin (DNS rebinding).
"""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from deploy.server.faults import RequestError

ANY = "*"


class KnownHosts:
    """ASGI middleware that refuses a request whose Host is none of `hosts`, whatever its port."""

    def __init__(self, app: ASGIApp, *, hosts: Collection[str]) -> None:
        self._app, self._hosts = app, {host.strip("[]").lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http" or ANY in self._hosts:
            await self._app(scope, receive, send)
            return
        name = host_name(Headers(scope=scope).get("host", ""))
        if name in self._hosts:
            await self._app(scope, receive, send)
            return
        fault = RequestError(
            421,
            f"this server is not called {name[:80]!r}; whoever runs it may add the name to "
            "serve.allowed_hosts in params.yaml",
            "unknown_host",
        )
        await JSONResponse(fault.body(), status_code=fault.status)(scope, receive, send)


def host_name(header: str) -> str:
    """The name or address in a Host header, without its port and without the brackets of IPv6."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.rpartition(":")[0].lower() if header.count(":") == 1 else header.lower()
