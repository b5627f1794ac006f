"""Holds on releases: what a server loads or serves is deleted by nobody until it has let go.

A hold is an advisory lock (flock) on the folder itself. Nothing is written, so the folder may be mounted
read-only; other processes and other containers of the machine see it; and it goes with its process, however
that ends. It is seen on this machine alone: over NFS a folder cannot be locked, and nobody is kept from
deleting there.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.errors import BundleError


class Hold:
    """A hold on the release in a folder, for as long as this object lives."""

    def __init__(self, folder: Path) -> None:
        """Take it.

        Raises:
            BundleError: the folder is gone, or is being deleted.
        """
        self._opened = -1
        try:
            self._opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            told = f"{folder} cannot be opened: {error.strerror}"
            raise BundleError(f"{told}; make and release a bundle with threeply run") from None
        if not _locked(self._opened, fcntl.LOCK_SH):
            raise BundleError(f"{folder} is being deleted; serve a newer release")

    def __del__(self) -> None:
        if self._opened >= 0:
            os.close(self._opened)


@contextmanager
def unheld(folder: Path) -> Iterator[bool]:
    """Whether nobody holds the release in `folder`; while the block lasts, nobody comes to hold it."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield _locked(opened, fcntl.LOCK_EX)
    finally:
        os.close(opened)


def _locked(opened: int, how: int) -> bool:
    """Whether a lock could be had at once; True as well where the files lie on what knows no locks."""
    try:
        fcntl.flock(opened, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
