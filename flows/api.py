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
from dataclasses import dataclass
from pathlib import Path

from flows.errors import FlowError
from flows.guard import guarded
from flows.process import end

HOME = Path(".threeply/prefect")
PATIENCE = 600.0  # seconds that the server may take to come up: one that has ended is noticed at once


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """A server of Prefect's: where it listens, and for one of our own the process and its log."""

    url: str
    log: Path
    process: "subprocess.Popen[str] | None"

    def wait(self) -> None:
        """Return when the server answers.

        Raises:
            FlowError: it ended, or did not answer in time.
        """
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=5):  # noqa: S310 (our own address)
                    return
            except (urllib.error.URLError, OSError):
                ended = self.process is not None and self.process.poll() is not None
                if ended or time.monotonic() > deadline:
                    raise FlowError(
                        f"Prefect's server {'ended' if ended else 'does not answer'} ({self.url}); "
                        f"what it said is in {self.log}. `dvc repro` runs the same stages without it"
                    ) from None
            time.sleep(0.05)


@contextmanager
def prefect_api(root: Path) -> Iterator[Api]:
    """The server that PREFECT_API_URL names, or else one of our own, started and ended with the block."""
    settings, log = quiet_settings(root), root / ".threeply" / "logs" / "prefect.log"
    url, process = os.environ.get("PREFECT_API_URL", ""), None
    Path(settings["PREFECT_HOME"]).mkdir(parents=True, exist_ok=True)  # Prefect makes its last part alone
    if not url:
        port = _free_port()
        url = f"http://127.0.0.1:{port}/api"
        log.parent.mkdir(parents=True, exist_ok=True)
        process = _started(port, settings, log)
    os.environ.update(settings, PREFECT_API_URL=url)  # read when Prefect is imported
    try:
        yield Api(url=url, log=log, process=process)
    finally:
        if process is not None:
            end(process)


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


def _started(port: int, settings: dict[str, str], log: Path) -> "subprocess.Popen[str]":
    command = [
        *[sys.executable, "-m", "uvicorn", "--factory", "prefect.server.api.server:create_app"],
        *["--host", "127.0.0.1", "--port", str(port), "--log-level", "error", "--lifespan", "on"],
    ]
    # What Prefect sets for a temporary server: no page, and only the services that record runs.
    temporary = {"PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}
    with log.open("w", encoding="utf-8") as written:
        return subprocess.Popen(
            guarded(command, grace=5),
            env={**os.environ, **settings, **temporary, "PREFECT_UI_ENABLED": "0"},
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
