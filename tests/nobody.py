"""Another user for a while, since root, as whom tests may run, may read everything."""

import contextlib
import os
from collections.abc import Iterator

NOBODY = 65534


@contextlib.contextmanager
def nobody() -> Iterator[None]:
    """Be a user without rights of its own; who is none of root's already stays who they are."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)
