"""SQLite files that forget: what is deleted is overwritten, in the file and in its log.

No page of either keeps it. Any thread and any process may ask or change.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class ErasingFile:
    """The SQLite file at `path`, made by `schema` where it is not there; `pragmas` are set before.

    A change that cannot be made raises what `unkept` makes of the reason.
    """

    def __init__(
        self, path: Path, schema: str, *, unkept: Callable[[sqlite3.Error], Exception], pragmas: str = ""
    ) -> None:
        """Open it.

        Raises:
            sqlite3.Error: it is damaged, or cannot be opened.
        """
        self._lock, self._unkept = threading.Lock(), unkept
        self._connection = sqlite3.connect(path, check_same_thread=False, timeout=30.0)
        self._connection.executescript(
            f"{pragmas} PRAGMA journal_mode=WAL; PRAGMA secure_delete=ON; PRAGMA foreign_keys=ON; {schema}"
        )

    def read(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        """The rows that a query finds."""
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """One change, whole or not at all; afterwards the log holds nothing of what was before."""
        try:
            with self._lock:
                with self._connection:
                    yield self._connection
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise self._unkept(error) from None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
