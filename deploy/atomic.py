"""Files and folders that appear whole or not at all."""

import errno
import json
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # how systems say that there is no room left


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write a file or fill a folder at; it takes the place of `path` when the block ends.

    The old file or folder stays until the new one is complete, and a failed block leaves no trace. What a
    killed process left is cleared away first.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _clear_after_killed(path)
    partial = _beside(path, "partial")
    remove(partial)
    try:
        yield partial
        if partial.is_dir() or path.is_dir():
            # Nothing can be renamed over a full folder, nor a folder over a file: the old one steps aside.
            old = _beside(path, "old")
            remove(old)
            if path.exists():
                path.rename(old)
            partial.rename(path)
            remove(old)
        else:
            partial.replace(path)
    except OSError as error:
        if error.errno in FULL and error.filename is None:  # as where a file that is open cannot grow
            error.filename = str(partial)
        raise
    finally:
        remove(partial)


def remove(path: Path) -> None:
    """Remove a file or a whole folder; nothing happens if it is not there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, atomically."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON with sorted keys and a final newline, atomically."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def _beside(path: Path, state: str) -> Path:
    """A place of this thread alone: two threads may write the same."""
    return path.with_name(f".{path.name}.{state}-{os.getpid()}.{threading.get_ident()}")


def _clear_after_killed(path: Path) -> None:
    """Remove what the dead left beside `path`; put back a folder that had stepped aside."""
    for state in ("old", "partial"):
        start = f".{path.name}.{state}-"
        for left in [entry for entry in path.parent.iterdir() if entry.name.startswith(start)]:
            process, _, thread = left.name.removeprefix(start).partition(".")
            if not process.isdigit() or _at_work(int(process), thread):
                continue
            if state == "old" and not path.exists():
                left.rename(path)  # killed between the two renames: the old content is still the right one
            else:
                remove(left)


def _at_work(process: int, thread: str) -> bool:
    """Whether a thread of a process may still be writing; this one is about to.

    In containers a process may have the number of one that was killed: of our own only our threads live.
    """
    if process == os.getpid():
        others = {each.ident for each in threading.enumerate()} - {threading.get_ident()}
        return thread in map(str, others)
    try:
        os.kill(process, 0)  # signal 0 only asks
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
