"""stub"""

from pathlib import Path

from tasks.collect.source import Collected


def read_file(path: Path, *, watched: Path) -> Collected:
    raise NotImplementedError
