"""SHA-256 sums of what a model is made from."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from tasks.errors import ChecksumError


def file_sha256(path: Path) -> str:
    """The sum of one file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_sha256(folder: Path, names: Iterable[str]) -> str:
    """The sum of the lines `SUM  NAME` of the files, by name: what `sha256sum NAMES | sha256sum` prints."""
    lines = [f"{file_sha256(folder / name)}  {name}\n" for name in sorted(names)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def check_sum(path: Path, found: str, wanted: str | None, *, key: str) -> None:
    """Make sure that `path` has the sum that params.yaml names; None is not checked.

    Raises:
        ChecksumError: it has another.
    """
    if wanted is not None and found != wanted:
        raise ChecksumError(
            f"{path} has the sha256 {found}, but {key}_sha256 in params.yaml is {wanted}; if the file was "
            "damaged on its way, delete it and run again; if you mean this one, write its sum there"
        )
