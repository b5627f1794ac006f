"""The place of a run: the project itself, or a folder with a copy of it under other settings."""

import contextlib
import fcntl
import filecmp
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from deploy.atomic import remove, write_text
from flows import graph
from flows.errors import PlaceError

COPIED = (
    "dvc.yaml", ".dvcignore", "requirements.lock", "tasks", "deploy", "flows", "sources", "lab", "recipes"
)  # fmt: skip
_MARK = Path(".threeply/place")
_LOCK = Path(".threeply/run.lock")


def make_place(project: Path, place: Path, params: str) -> None:
    """Bring `place` up to date with the project, and give it `params` as its params.yaml.

    Files that are equal are left alone, so only what really changed runs again.

    Raises:
        PlaceError: `place` holds something else, or a run is going on there.
    """
    project, place = project.resolve(), place.resolve()
    if place == project or place in project.parents:
        raise PlaceError(f"{place} holds the project itself; name a folder of its own, such as build/smoke")
    ours = (place / _LOCK).parent
    there = [path for folder in (place, ours) if folder.is_dir() for path in folder.iterdir()]
    if set(there) - {ours, place / _LOCK} and not (place / _MARK).exists():
        raise PlaceError(f"{place} is not empty and no earlier run made it; name another folder, or empty it")
    with occupied(place):  # who works there reads what would be changed here
        write_text(place / _MARK, f"a copy of {project.name}; made by threeply run --place\n")
        for name in COPIED:
            if (project / name).exists():
                _mirror(project / name, place / name)
        target = place / "params.yaml"
        if not target.exists() or target.read_text(encoding="utf-8") != params:
            write_text(target, params)
        graph.prepare(place)


@contextlib.contextmanager
def occupied(root: Path) -> Iterator[None]:
    """Keep other runs out of `root`; the lock goes with this process, however it ends.

    Raises:
        PlaceError: another run is going on there.
    """
    path = root / _LOCK
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise PlaceError(
                f"another run is going on in {root} (process {file.read().strip() or 'unknown'}); "
                "wait for it to end"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _mirror(source: Path, target: Path) -> None:
    """Make `target` equal to `source`; what is equal already keeps its place and date."""
    if source.is_file():
        if not target.is_file() or not filecmp.cmp(source, target, shallow=False):
            remove(target)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        return
    if not source.is_dir():
        return  # a link to nowhere, as editors make them for a lock
    target.mkdir(parents=True, exist_ok=True)
    names = {path.name for path in source.iterdir() if path.name != "__pycache__"}
    for path in target.iterdir():
        if path.name not in names and path.name != "__pycache__":
            remove(path)
    for name in sorted(names):
        _mirror(source / name, target / name)
