"""So many at once and no queue: who comes when all places are taken is told to come again."""

from collections.abc import Iterator
from contextlib import contextmanager

from deploy.server.faults import RequestError


class Places:
    """Places for what one event loop does at once; `busy` says what they are taken by."""

    def __init__(self, most: int, *, busy: str, come_again: int) -> None:
        self._free, self._busy = most, busy
        self._headers = {"Retry-After": str(come_again)}

    @contextmanager
    def taken(self) -> Iterator[None]:
        """A place, for as long as the block lasts.

        Raises:
            RequestError: none is free.
        """
        if not self._free:
            raise RequestError(503, f"{self._busy}; try again in a moment", "busy", headers=self._headers)
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1
