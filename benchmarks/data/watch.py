"""The most memory that a process and its children have had at once, and the most that a folder held."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tasks.machine.memory import MIB

_EVERY = 0.2  # seconds between two looks at memory
_FILES_EVERY = 25  # of these looks: a folder takes longer to look through


class Watch:
    """Looks at a process now and then, so that what is there for less than a moment may be missed.

    Memory is what the processes have for themselves: the pages of files that the machine keeps while there is
    room do not count.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.memory_mib = self.disk_mib = 0.0

    @contextmanager
    def of(self, process: int) -> Iterator[None]:
        """Look at the process with this id, and at the folder, until the block ends."""
        done = threading.Event()
        thread = threading.Thread(target=self._look, args=(process, done), daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
            self.disk_mib = max(self.disk_mib, bytes_below(self._folder) / MIB)

    def _look(self, process: int, done: threading.Event) -> None:
        looks = 0
        while not done.wait(_EVERY):
            self.memory_mib = max(self.memory_mib, _own_bytes(process) / MIB)
            if looks % _FILES_EVERY == 0:
                self.disk_mib = max(self.disk_mib, bytes_below(self._folder) / MIB)
            looks += 1


def bytes_below(folder: Path) -> int:
    """The bytes of all files below a folder; files and folders that go in the meantime count for nothing."""
    found = 0
    for place, _, names in os.walk(folder):  # unlike rglob it passes over a folder that has gone
        for name in names:
            with suppress(FileNotFoundError):
                found += Path(place, name).lstat().st_size
    return found


def _own_bytes(process: int) -> int:
    """The bytes of memory of a process and its children that no file stands behind."""
    found = 0
    try:
        first = psutil.Process(process)
        for each in (first, *first.children(recursive=True)):
            used = each.memory_info()
            found += used.rss - used.shared
    except psutil.Error:  # one of them has ended meanwhile
        return found
    return found
