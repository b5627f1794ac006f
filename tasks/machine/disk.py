"""A full or read-only disk told in a sentence, whichever library met it."""

import contextlib
import errno
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from deploy.atomic import FULL
from tasks.errors import OutputError

OF_DISK = (*FULL, errno.EROFS)  # these are told of a disk alone, and never of a network

# How libraries without an errno say it: safetensors and faiss, NumPy, SQLite.
_FULL = re.compile(
    r"No space left on device|File too large|Disk quota exceeded|write error in "
    r"|\d+ requested and \d+ written|disk is full"
)

# SQLite says this of a full disk, and of a broken one.
_UNSURE = "disk I/O error"

_STAGED = re.compile(r"\.([^/]+)\.partial-\d+(?:\.\d+)?")  # where an output stands until it is whole


@contextlib.contextmanager
def plain_disk_errors() -> Iterator[None]:
    """Turn the errors of a full or read-only disk into `OutputError`; others pass."""
    try:
        yield
    except Exception as error:
        if told := _told(error):
            raise OutputError(told) from error
        raise


def _told(error: Exception) -> str | None:
    """What to tell a person, or None if the error is not one of a disk."""
    code = error.errno if isinstance(error, OSError) else None
    # Of a copy the second name is what was written.
    name = str(getattr(error, "filename2", None) or getattr(error, "filename", None) or "an output")
    while (outer := _STAGED.sub(r"\1", name)) != name:  # a file may be staged within a staged output
        name = outer
    if code in FULL or _FULL.search(str(error)):
        free = shutil.disk_usage(".").free / 2**20
        return (
            f"the disk is full ({free:.0f} MiB free here) while writing {name}; "
            "free some space and run again: finished stages are kept"
        )
    if _UNSURE in str(error):
        free = shutil.disk_usage(".").free / 2**20
        return (
            f"{error} while writing a database: the disk is full ({free:.0f} MiB free here) or failing; "
            "free some space and run again: finished stages are kept"
        )
    if code in (errno.EACCES, errno.EROFS):
        return f"{name} cannot be used: {os.strerror(code)}; make it writable, or run where it is"
    return None


def say_if_unwatched(path: Path, watched: Path, *, stage: str = "collect") -> None:
    """Print that DVC does not see changes of `path` when it lies outside the folder of sources."""
    if not path.resolve().is_relative_to(watched.resolve()):
        print(
            f"{path} lies outside {watched}/, so DVC does not notice when it changes: move it there, or run "
            f"`dvc repro --force {stage}` after a change"
        )
