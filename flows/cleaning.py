"""Deletes what runs have made; sources and settings are never touched."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from deploy.atomic import remove
from flows.place import occupied

MADE = (
    *(Path("data") / name for name in ("raw", "clean", "splits", "index", "knowledge", "models", "bundle")),
    *(Path("data") / name for name in ("reports", "lab", "recipes")),
    *(Path(".threeply") / name for name in ("work", "logs", "prefect", "releases")),
    Path(".dvc/cache"),
    Path(".dvc/tmp"),
    Path("dvc.lock"),
    Path("lab/dvc.lock"),
    Path("recipes/dvc.lock"),
    Path("build"),
)
CACHED = Path(".threeply/cache")


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The words that `threeply clean` understands."""
    parser.add_argument("--all", action="store_true", help="the cache of what was downloaded too")


def clean(root: Path, *, everything: bool) -> Iterator[Path]:
    """Delete the outputs, the histories and the logs; `everything` takes downloaded models too."""
    with occupied(root):
        for path in (*MADE, CACHED) if everything else MADE:
            if (root / path).exists() or (root / path).is_symlink():
                remove(root / path)
                yield path
