"""Runs a command that must not outlive the process that asked for it.

`python -m flows.guard PARENT GRACE COMMAND...` leads a process group of its own. When the process PARENT
is gone, even by kill -9, or when the guard is asked to end, the whole group ends: first politely, after
GRACE seconds by force. It looks at its parent rather than asking the kernel for a signal, because that
signal follows the thread that started the child, not the process, and exists on Linux alone.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any, NoReturn

from tasks.machine.process import end_with_parent


def guarded(command: Sequence[str], *, grace: float) -> list[str]:
    """`command` under a guard that watches the calling process."""
    return [sys.executable, "-m", "flows.guard", str(os.getpid()), str(grace), *command]


def main(arguments: Sequence[str]) -> int:
    """Run the command; its exit code is returned, 128 + n for signal n."""
    parent, grace = int(arguments[0]), float(arguments[1])
    child: subprocess.Popen[bytes] | None = None

    def stop(*_: Any) -> NoReturn:
        end_group(child, grace)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run, which then ends us
    child = subprocess.Popen(arguments[2:], preexec_fn=end_with_parent)  # noqa: PLW1509 (one thread)
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = child.wait(0.5)
            break
        if os.getppid() != parent:
            stop()
    # A command killed from outside may leave children behind.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)
    return code if code >= 0 else 128 - code


def end_group(child: "subprocess.Popen[bytes] | None", grace: float) -> NoReturn:
    """End the whole group, this process included."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)
    if child is not None:
        deadline = time.monotonic() + grace
        while child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
    os.killpg(0, signal.SIGKILL)
    raise SystemExit(137)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
