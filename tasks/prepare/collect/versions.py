"""What rows follow from beside the content of their source: the code that reads, and what is installed."""

import hashlib
import platform
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, distributions, version
from importlib.util import find_spec
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]
# All that decides on what a row is; with any change of it, sources are read anew.
_CODE = ("tasks/prepare/collect", "tasks/rows", "deploy/documents/reading")
_FILES = ("deploy/abstention.py", "deploy/messages.py", "deploy/files.py")
_READERS = ("pyarrow", "openpyxl", "pypdfium2")


def code_version() -> str:
    """What stands for the code that reads, and for the libraries that it reads with."""
    paths = [path for folder in _CODE for path in (_ROOT / folder).rglob("*.py")]
    paths += [_ROOT / name for name in _FILES]
    told = hashlib.sha256()
    for path in sorted(paths):
        told.update(f"{path.relative_to(_ROOT).as_posix()}\0".encode() + path.read_bytes())
    told.update(" ".join(_installed(name) for name in _READERS).encode())
    return told.hexdigest()


def packages_version(names: Iterable[str]) -> list[str]:
    """What the documentation of packages follows from: what is installed, and the files of these packages.

    A package that its author works on changes while its version stays.
    """
    found = [platform.python_version(), *_everything()]
    for name in names:
        states = hashlib.sha256()
        for path in _files_of(name):
            state = path.stat()
            states.update(f"{path}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
        found.append(f"{name} {states.hexdigest()}")
    return found


def _files_of(name: str) -> list[Path]:
    """The code of a package, or of the one module that it is; C code changes with its version."""
    spec = find_spec(name.partition(".")[0])
    if spec is None:
        return []
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
    if not folders:
        return [path for path in [Path(spec.origin or "")] if path.is_file()]
    return sorted(
        path for folder in folders for path in folder.rglob("*.py*") if path.suffix in (".py", ".pyi")
    )


@cache
def _everything() -> tuple[str, ...]:
    """Every distribution with its version: which modules can be imported depends on others."""
    return tuple(sorted({f"{each.metadata['Name']} {each.version}" for each in distributions()}))


def _installed(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return name
