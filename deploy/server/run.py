"""Starts the server: checks and loads the bundle, warms up, and only then says where it listens.

What it serves afterwards is whatever the link `bundle` points at (`deploy/server/following.py`).
"""

import errno
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path

from deploy.assistant import Assistant, Layers
from deploy.bundle import load_verified, verify_bundle
from deploy.engines.engine import Sampling
from deploy.errors import ServeError
from deploy.manifest import Manifest, digest
from deploy.messages import Message
from deploy.server.following import Follower, release_of
from deploy.server.live import Live, Served
from deploy.settings import ServeSettings

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def serve(bundle: Path, settings: ServeSettings, *, say: Callable[[str], object] = print) -> None:
    """Serve the bundle in the folder `bundle` until the process is told to stop (Ctrl-C or SIGTERM).

    Where `bundle` is a link and comes to point at another one, that is served from then on.

    Raises:
        ServeError: the port is taken, the address is not this machine's, or the bundle lacks the model.
        BundleError: the bundle is not whole.
    """
    from deploy.server.app import create_app

    with bind(settings.host, settings.port) as listener:  # before the long part: a taken port is said at once

        def load(folder: Path) -> Served:
            return load_served(folder, settings.default_model, say=say)

        release = release_of(bundle)
        live = Live(load(release))
        app = create_app(live, settings)
        with Follower(bundle, live, load, served=release, say=say).following():
            run_app(app, listener, say=say)


def load_served(folder: Path, wanted: str, *, say: Callable[[str], object] = print) -> Served:
    """The bundle in `folder`, checked, loaded and warm; `wanted` is `serve.default_model`.

    Raises:
        ServeError: the bundle lacks the model.
        BundleError: it is not whole.
    """
    say(f"checking {folder}")
    manifest = verify_bundle(folder)
    default = default_model(wanted, manifest)
    say(
        f"loading {manifest.name}: {', '.join(manifest.models)}; "
        f"{default} answers where a request names no model"
    )
    assistant = load_verified(folder, manifest)
    warm_up(assistant)
    return Served(
        assistant=assistant,
        default_model=default,
        name=manifest.name,
        digest=digest(folder),
        partial=manifest.partial,
    )


def default_model(wanted: str, manifest: Manifest) -> str:
    """The model that answers where a request names none.

    `auto` is the last one of the bundle whose layer the ledger (what each layer adds) does not call useless
    or harmful, nor sees lose where that is not clear: of two that may be alike, the cheaper serves. It stands
    in for a model that a partial bundle does not have yet.

    Raises:
        ServeError: the bundle has no such model.
    """
    if wanted in manifest.models:
        return wanted
    if wanted != "auto" and not manifest.partial:
        raise ServeError(
            f"serve.default_model is {wanted}, but {manifest.name} has only "
            f"{', '.join(manifest.models)}; set one of them, or auto"
        )
    arms = manifest.ledger.get("arms", {})
    for name in reversed(manifest.models):
        difference = arms.get(name, {}).get("difference")
        if difference is None or (difference["verdict"] != "does not help" and difference["mean"] > 0.0):
            return name
    return manifest.models[0]


def bind(host: str, port: int) -> socket.socket:
    """A socket bound to `host` and `port`; port 0 takes any free one.

    Raises:
        ServeError: it cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise ServeError(
                f"port {port} on {host} is taken; end what listens there, or set another serve.port"
            ) from None
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise ServeError(f"cannot listen on {host}:{port}: {reason}; set serve.host and serve.port") from None
    return listener


def warm_up(assistant: Assistant) -> None:
    """Ask each model for one token, so that the first person does not wait for caches to fill."""
    question = [Message("user", "Which function sorts an array?")]
    for model in reversed(assistant.models):
        assistant.answer([question], model=model, layers=Layers(), sampling=Sampling(max_new_tokens=1))


def run_app(app: object, listener: socket.socket, *, say: Callable[[str], object] = print) -> None:
    """Serve `app` on a bound socket; says where once it answers, and returns when told to stop."""
    import uvicorn

    host, port = listener.getsockname()[:2]

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                shown = f"[{host}]" if ":" in host else host
                say(f"listening on http://{shown}:{port} (Ctrl-C ends it)")
                if host not in LOOPBACK:
                    say("anyone who can reach this address can ask: there are no accounts")

    logging.basicConfig(level=logging.WARNING)
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_level=None,  # the levels stand in log_config
        lifespan="on",
        timeout_graceful_shutdown=5,
        timeout_keep_alive=30,
        server_header=False,
        log_config=_logging(),
    )
    try:
        Server(config).run(sockets=[listener])
    except KeyboardInterrupt:
        say("stopped")


def _logging() -> dict[str, object]:
    """One line a request (address, path, status), never its text; uvicorn's own chatter stays quiet."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"plain": {"format": "%(asctime)s %(message)s"}},
        "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "plain"}},
        "loggers": {
            "uvicorn.access": {"handlers": ["out"], "level": "INFO", "propagate": False},
            "uvicorn.error": {"handlers": ["out"], "level": "WARNING", "propagate": False},
        },
    }
