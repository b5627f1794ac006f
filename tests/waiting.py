"""Waiting in tests for what another process or thread does."""

import time
from collections.abc import Callable


def wait_until(holds: Callable[[], object], seconds: float = 15.0) -> None:
    """Return as soon as it holds, and fail where it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
