"""Runs a command in a process group of its own and hands over its lines."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.guard import guarded
from tasks.machine.process import QUIET

GRACE = 10.0  # seconds between asking a group to end and ending it


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended: its exit code, its last lines, and whether its time was up."""

    code: int
    lines: tuple[str, ...]
    timed_out: bool


def run_command(
    command: Sequence[str],
    *,
    cwd: Path,
    on_line: Callable[[str], None],
    timeout: float | None = None,
) -> Ended:
    """Run `command` to its end, calling `on_line` for each line of its output.

    Whatever ends this call early, an interrupt included, ends the command and all its children first.
    `timeout` is enforced on the process group: a deadline on the caller would not reach it.
    """
    # `python` is the interpreter that runs this.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    process = subprocess.Popen(
        guarded(command, grace=GRACE),
        cwd=cwd,
        env={**os.environ, **QUIET, "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    timed_out = threading.Event()
    lines: deque[str] = deque(maxlen=200)

    def expire() -> None:
        timed_out.set()
        process.terminate()

    timer = threading.Timer(timeout, expire) if timeout is not None else None
    try:
        if timer:
            timer.start()
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip())
            on_line(lines[-1])
        code = process.wait()
    finally:
        if timer:
            timer.cancel()
        end(process)
    return Ended(code=code, lines=tuple(lines), timed_out=timed_out.is_set())


def end(process: "subprocess.Popen[str]") -> None:
    """Make sure that the whole group is gone."""
    if process.poll() is None:
        process.terminate()  # the guard ends the group
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE + 2)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
