"""Which examples an adapter has learned from, written beside it."""

from collections.abc import Iterable
from pathlib import Path

from deploy.atomic import write_json
from deploy.files import read_json
from tasks.errors import SourceError

LEARNED = "learned.json"


def write_learned(folder: Path, names: Iterable[str]) -> None:
    """Write the ids of the examples beside the adapter in `folder`."""
    write_json(folder / LEARNED, sorted(set(names)))


def read_learned(folder: Path) -> frozenset[str]:
    """The ids of the examples that the adapter in `folder` has learned from.

    Raises:
        SourceError: the list is missing or damaged.
    """
    return frozenset(read_json(folder / LEARNED, list[str], error=SourceError, advice="run dvc repro sft"))
