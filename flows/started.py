"""`threeply serve` in a process of its own, for who asks a server and then ends it."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from flows.errors import ReleaseError
from tasks.machine.process import end_with_parent

LISTENING = "listening on "


@contextmanager
def started(
    *words: str, place: Path = Path(), variables: Mapping[str, str] = MappingProxyType({})
) -> Iterator[str]:
    """The address of a server with these `words`, on a free port of this machine, ended with the block.

    It runs in `place`, with `variables` over those of this process.

    Raises:
        ReleaseError: it does not start; the message is the last that it said.
    """
    with (
        tempfile.TemporaryFile("w+") as faults,  # a pipe that nobody reads would fill up and hold it
        subprocess.Popen(
            [sys.executable, "-m", "flows", "serve", *words, "--port", "0"],
            cwd=place,
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            stderr=faults,
            text=True,
            preexec_fn=end_with_parent,  # noqa: PLW1509  (one thread)
        ) as server,
    ):
        assert server.stdout is not None
        try:
            line = next((line for line in server.stdout if line.startswith(LISTENING)), None)
            if line is None:
                faults.seek(0)
                said = [told.strip() for told in faults if told.strip()]
                raise ReleaseError(
                    said[-1].removeprefix("error: ") if said else "the server ended without a word"
                )
            yield line.split()[2]
        finally:
            server.terminate()
