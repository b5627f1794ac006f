"""Reads a document in a process of its own, with a limit on time and memory.

A file may be made to crash its reader, to take all memory or never to end: then that process ends, and who
asked is told. It has no secrets: of the environment it gets no more than it needs to find its code.
"""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from deploy.documents.reading.reading import Reading
from deploy.errors import DocumentError

SECONDS = 30  # of work
_PATIENCE = 4  # times as many may pass where the machine is busy
_ROOT = Path(__file__).resolve().parents[3]
_ENVIRONMENT = {
    **{name: os.environ[name] for name in ("LD_LIBRARY_PATH", "PYTHONHOME") if name in os.environ},
    "PYTHONPATH": str(_ROOT),
    "PYTHONDONTWRITEBYTECODE": "1",
    "LANG": "C.UTF-8",
}


def read_apart(content: bytes, kind: str, declared: str = "", *, seconds: int = SECONDS) -> Reading:
    """The document in `content`, whose format is called `kind`; it may take so many `seconds` of work.

    Raises:
        DocumentError: it cannot be read, or takes too long or too much memory.
    """
    charset = declared if re.fullmatch(r"[\w.:-]{1,40}", declared) else ""
    # Without -P Python would look for modules where the process stands.
    command = [
        sys.executable,
        "-P",
        "-s",
        "-m",
        "deploy.documents.reading.child",
        kind,
        str(seconds),
        charset,
    ]
    try:
        done = subprocess.run(
            command,
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_ENVIRONMENT,
            cwd="/",
            timeout=_PATIENCE * seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _too_slow(seconds) from None
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise _too_slow(seconds)
    try:
        told = json.loads(done.stdout)
    except ValueError:
        raise DocumentError(
            "its reader has crashed: it is damaged, or needs too much memory; save it anew, or as text",
            reason="damaged",
        ) from None
    if "refused" in told:
        raise DocumentError(told["refused"], reason=told["reason"])
    return Reading(title=told["title"], text=told["text"], notes=tuple(told["notes"]))


def _too_slow(seconds: int) -> DocumentError:
    return DocumentError(
        f"to read it takes longer than {seconds} s; split it, or save it as text", reason="too_slow"
    )
