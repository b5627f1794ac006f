"""Python in a process of its own, for tests of what only a fresh one shows."""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


def python(
    *words: object, place: Path = ROOT, modules: tuple[Path, ...] = (ROOT,), ends: int = 0, **variables: str
) -> "subprocess.CompletedProcess[str]":
    """What an interpreter said that ran `words` in `place`; it has found `modules`, and ended with `ends`."""
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=place,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, modules)), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == ends, done.stdout + done.stderr
    return done
