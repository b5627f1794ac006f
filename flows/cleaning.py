"""Deletes what runs have made; sources and settings are never touched."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from deploy.atomic import remove
from flows.errors import PlaceError
from flows.place import occupied
from tasks.machine.cache import CACHE

MADE = (
    *(Path("data") / name for name in ("raw", "clean", "splits", "index", "knowledge", "models", "bundle")),
    *(Path("data") / name for name in ("search", "samples", "reports", "lab", "recipes")),
    *(Path("data") / name for name in ("calibration.json", "card.md", "accepted.json")),
    *(Path(".threeply") / name for name in ("work", "logs", "prefect", "releases")),
    Path(".dvc/cache"),
    Path(".dvc/tmp"),
    Path("dvc.lock"),
    Path("lab/dvc.lock"),
    Path("recipes/dvc.lock"),
    Path("build"),
)
PROJECT = ("params.yaml", "dvc.yaml")  # what every project has


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The words that `threeply clean` understands."""
    parser.add_argument("--all", action="store_true", help="the cache of what was downloaded too")


def clean(root: Path, *, everything: bool) -> Iterator[Path]:
    """Delete the outputs, the histories and the logs; `everything` takes downloaded models too.

    Raises:
        PlaceError: `root` is no project (its data/models would be another's), or a run is going on there.
    """
    if missing := [name for name in PROJECT if not (root / name).is_file()]:
        raise PlaceError(
            f"{root.resolve()} is no project of threeply: there is no {missing[0]}; nothing is deleted"
        )
    with occupied(root):
        for path in (*MADE, CACHE) if everything else MADE:
            if (root / path).exists() or (root / path).is_symlink():
                remove(root / path)
                yield path
