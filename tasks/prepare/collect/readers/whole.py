"""A file that stays as it is while it is read: of one that changes nobody knows what was read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.errors import SourceError


@contextmanager
def whole(path: Path) -> Iterator[None]:
    """Read a file within.

    Raises:
        SourceError: it is not there, cannot be read, or has changed or gone by the end.
    """
    try:
        before = path.stat()
        if not path.is_file():
            raise FileNotFoundError
        yield
        after = path.stat()
    except FileNotFoundError:
        raise SourceError(f"{path} is not there; correct the path to it in params.yaml") from None
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}") from None
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise changed(path)


def changed(path: Path) -> SourceError:
    """That the file at `path` has changed while it was read."""
    return SourceError(
        f"{path} has changed while it was read, so that a part may be missing; none of it is taken: run "
        "again when nothing writes to it"
    )
