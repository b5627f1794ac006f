"""What every reader gives: records, and lines that hold none."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.errors import SourceError


@dataclass(frozen=True, slots=True)
class Record:
    """One record and its line (in a table: its row, counted from 1).

    `file` is named where the source has several.
    """

    line: int
    values: dict[str, Any]
    file: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that holds no record, and why; `detail` never holds its text."""

    line: int
    reason: str
    detail: str
    file: str = ""


def check_names(path: Path, names: Sequence[str]) -> None:
    """Make sure that no two columns share a name; those without one are no columns.

    Raises:
        SourceError: two do.
    """
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise SourceError(
            f"{path} has two columns called {twice!r}, of which one would hide the other; rename it"
        )
