"""`threeply serve` as a person starts it: in a project, from its settings, ended by a signal."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.started import LISTENING
from tests.conftest import ROOT


@contextmanager
def serving(
    project: Path, *words: str, ends_by: signal.Signals = signal.SIGINT, **variables: str
) -> Iterator[str]:
    """The address of `threeply serve` with these `words` in `project`, on a free port."""
    command = [sys.executable, "-m", "flows", "serve", *words, "--port", "0"]
    given = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    with subprocess.Popen(command, cwd=project, env=given, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield next(line for line in process.stdout if line.startswith(LISTENING)).split()[2]
        finally:
            process.send_signal(ends_by)
            assert process.wait(120) == 0  # a load that is under way is waited for
