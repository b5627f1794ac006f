"""Prefect's API for as long as a run lasts: a process of our own, with its home in the project.

Prefect would start one by itself, but only after it has imported the whole server into the run (3 s).
Started first, the server comes up (5 s; 20 s the first time) while the run looks at its stages.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from flows.errors import FlowError
from flows.guard import guarded
from flows.process import GRACE, end

HOME = Path(".threeply/prefect")


def quiet_settings(root: Path) -> dict[str, str]:
    """Prefect's settings for a run: its home in the project, and nothing told to anybody."""
    return {
        "PREFECT_HOME": str((root / HOME).resolve()),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",  # automations; there are none
        "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",  # the board speaks to people
        "PREFECT_CLI_PROMPT": "false",
        "DO_NOT_TRACK": "1",
    }


class Api:
    """Starts the server when entered, unless PREFECT_API_URL names one; ends it when left."""

    def __init__(self, root: Path, *, patience: float = 120.0) -> None:
        self._root, self._patience = root, patience
        self._server: subprocess.Popen[str] | None = None
        self._url = os.environ.get("PREFECT_API_URL", "")
        self._log = root / ".threeply" / "logs" / "prefect.log"

    def __enter__(self) -> Self:
        settings = quiet_settings(self._root)
        if not self._url:
            port = _free_port()
            self._url = f"http://127.0.0.1:{port}/api"
            self._log.parent.mkdir(parents=True, exist_ok=True)
            Path(settings["PREFECT_HOME"]).mkdir(parents=True, exist_ok=True)
            self._server = self._start(port, settings)
        os.environ.update(settings, PREFECT_API_URL=self._url)  # read when Prefect is imported
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            end(self._server, GRACE)

    @property
    def url(self) -> str:
        """Where the server listens."""
        return self._url

    def wait(self) -> None:
        """Return when the server answers.

        Raises:
            FlowError: it ended, or did not answer in time.
        """
        deadline = time.monotonic() + self._patience
        while True:
            try:
                with urllib.request.urlopen(f"{self._url}/health", timeout=5):  # noqa: S310 (our own address)
                    return
            except (urllib.error.URLError, OSError):
                ended = self._server is not None and self._server.poll() is not None
                if ended or time.monotonic() > deadline:
                    raise FlowError(
                        f"Prefect's server {'ended' if ended else 'does not answer'} ({self._url}); "
                        f"what it said is in {self._log}. `dvc repro` runs the same stages without it"
                    ) from None
            time.sleep(0.05)

    def _start(self, port: int, settings: dict[str, str]) -> "subprocess.Popen[str]":
        command = [
            *[sys.executable, "-m", "uvicorn", "--factory", "prefect.server.api.server:create_app"],
            *["--host", "127.0.0.1", "--port", str(port), "--log-level", "error", "--lifespan", "on"],
        ]
        # What Prefect sets for a temporary server: no page, and only the services that record runs.
        temporary = {"PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}
        with self._log.open("w", encoding="utf-8") as log:
            return subprocess.Popen(
                guarded(command, grace=5),
                env={**os.environ, **settings, **temporary, "PREFECT_UI_ENABLED": "0"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )


@contextmanager
def recorded() -> Iterator[None]:
    """Send Prefect what it has queued before the server goes: later it would try in vain for a minute."""
    try:
        yield
    finally:
        from prefect.events.worker import EventsWorker
        from prefect.logging.handlers import APILogWorker

        EventsWorker.drain_all(timeout=10)
        APILogWorker.drain_all(timeout=10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
