"""What every reader gives: records, and lines that hold none."""

from dataclasses import dataclass
from typing import Any


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
