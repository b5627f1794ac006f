"""The table beside an adapter: from which rows it has learned, and from how many of their tokens."""

from collections.abc import Iterable
from pathlib import Path

from tasks.rows.records import Learned
from tasks.rows.tables import read_table, write_table

LEARNED = "learned.parquet"


def write_learned(folder: Path, lines: Iterable[Learned]) -> None:
    """Write the table beside the adapter in `folder`."""
    write_table(folder / LEARNED, Learned, lines)


def learned_in(folder: Path) -> tuple[Learned, ...] | None:
    """The table beside the adapter in `folder`; None where there is none."""
    path = folder / LEARNED
    return tuple(read_table(path, Learned)) if path.is_file() else None


def read_learned(folder: Path) -> frozenset[str]:
    """The ids of the examples that the adapter in `folder` has learned from as they are.

    Raises:
        SourceError: the table is missing or damaged.
    """
    lines = read_table(folder / LEARNED, Learned)
    return frozenset(line.id for line in lines if line.times and line.form in ("itself", "general"))
