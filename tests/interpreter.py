"""Python in a process of its own, for tests of what only a fresh one shows."""

import os
import re
import select
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

# What the C library, C++ and Python say when a process is aborted.
_DYING = re.compile(r"terminate called|what\(\):|Fatal Python error|free\(\)|malloc|corrupt|double free")


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
    assert done.returncode == ends, f"{_gist(done)}\n{done.stdout}{done.stderr}"
    return done


def _gist(done: "subprocess.CompletedProcess[str]") -> str:
    """One line: how it ended, and what it said when it was aborted, before all that others say of it."""
    heard = [line.strip() for line in done.stderr.splitlines() if _DYING.search(line)]
    return " | ".join([f"ended with {done.returncode}", *heard[:4]])


def speaking(
    *words: object, silence: float, place: Path = ROOT, modules: tuple[Path, ...] = (ROOT,), **variables: str
) -> str:
    """What an interpreter said to both streams that ran `words` in `place` as `python` does, and ended well.

    It may take as long as it likes: a machine that is slow or busy says little at a time, one that hangs
    nothing. After `silence`, in seconds, it is told to end, and the test fails.
    """
    with subprocess.Popen(
        [sys.executable, *map(str, words)],
        cwd=place,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, modules)), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None
        said = bytearray()
        while select.select([process.stdout], [], [], silence)[0]:
            if not (piece := os.read(process.stdout.fileno(), 2**16)):
                break
            said += piece
        else:
            process.terminate()
            pytest.fail(f"nothing was said for {silence:g} s, after:\n{said.decode(errors='replace')}")
    text = said.decode()
    assert process.returncode == 0, text
    return text
