"""Where the server listens, and how it begins and ends: a bound socket under uvicorn."""

import errno
import logging
import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from deploy.errors import ServeError
from deploy.settings import ServeSettings

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SAYING_SO = 5  # seconds that are left, when answers are given up, to tell those who wait for them


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens at `host` and `port`; port 0 takes any free one.

    Who connects before the server is ready waits. That it listens at once keeps a second server away: two
    sockets that are only bound may share a port.

    Raises:
        ServeError: it cannot be had.
    """
    if not 0 <= port <= 65535:
        raise ServeError(f"{port} is no port: give one of 0 to 65535, 0 for any free one, as serve.port")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # TCP by name: only so asyncio sends each write at once (TCP_NODELAY). Else the body of a reply waits till
    # the client has acknowledged its head, which takes 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise ServeError(
                f"port {port} on {host} is taken; end what listens there, or set another serve.port"
            ) from None
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise ServeError(f"cannot listen on {host}:{port}: {reason}; set serve.host and serve.port") from None
    return listener


def run_app(
    app: "FastAPI",
    listener: socket.socket,
    settings: ServeSettings,
    *,
    say: Callable[[str], object] = print,
) -> None:
    """Serve `app` on a bound socket; says where once it answers, and returns when told to stop."""
    host, port = listener.getsockname()[:2]

    def started() -> None:
        shown = f"[{host}]" if ":" in host else host
        say(f"listening on http://{shown}:{port} (Ctrl-C ends it)")
        if host not in LOOPBACK and settings.keys is None:
            say("anyone who can reach this address can ask: make keys (threeply key add), set serve.keys")

    logging.basicConfig(level=logging.WARNING)
    try:
        server_of(app, settings, started=started).run(sockets=[listener])
    except KeyboardInterrupt:
        say("stopped")


def server_of(
    app: "FastAPI", settings: ServeSettings, *, started: Callable[[], object] = lambda: None
) -> "uvicorn.Server":
    """The server of `app`; calls `started` once it answers.

    Told to stop, it takes no more requests, lets those under way end for `serve.shutdown_seconds` by
    `app.state.end`, and tells the others that it is stopping.
    """
    import uvicorn

    from deploy.server.patience import patient

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                started()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            app.state.end(settings.shutdown_seconds)
            await super().shutdown(sockets)

    config = uvicorn.Config(
        app,
        http=patient(settings.read_seconds),
        ws="none",
        log_level=None,  # the levels stand in log_config
        lifespan="on",
        timeout_graceful_shutdown=int(settings.shutdown_seconds) + SAYING_SO,
        timeout_keep_alive=30,
        server_header=False,
        log_config=_logging(settings.log),
    )
    return Server(config)


def _logging(kind: str) -> dict[str, object]:
    """One line a request, of this `kind`; uvicorn's own chatter stays quiet.

    Plain text has address, path and status, never what was said; JSON is written by `Recorded`.
    """
    from deploy.server.record import LOGGER

    text = kind == "text"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"plain": {"format": "%(asctime)s %(message)s"}, "bare": {"format": "%(message)s"}},
        "handlers": {
            "out": {"class": "logging.StreamHandler", "formatter": "plain"},
            "bare": {"class": "logging.StreamHandler", "formatter": "bare"},
        },
        "loggers": {
            "uvicorn.access": {
                "handlers": ["out"],
                "level": "INFO" if text else "WARNING",
                "propagate": False,
            },
            LOGGER: {"handlers": ["bare"], "level": "WARNING" if text else "INFO", "propagate": False},
            "uvicorn.error": {"handlers": ["out"], "level": "WARNING", "propagate": False},
        },
    }
