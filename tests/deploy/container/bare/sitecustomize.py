"""Makes a Python like that of the image `server`, and notes what it writes.

Python imports this module by itself where its folder is on PYTHONPATH. The JSON file THREEPLY_HIDDEN has the
modules and distributions that the image does not have: here they are not found, as there. Into the file
THREEPLY_WRITTEN goes each path that the process has opened to write, made, renamed or deleted.
"""

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


class Without:
    """A finder of modules that does not find some of them, nor what is told of their distributions."""

    def __init__(self, finder: Any, modules: frozenset[str], distributions: frozenset[str]) -> None:
        self._finder, self._modules, self._distributions = finder, modules, distributions

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What the finder finds, unless it is hidden."""
        if name.partition(".")[0] in self._modules:
            return None
        found: ModuleSpec | None = self._finder.find_spec(name, path, target)
        return found

    def find_distributions(self, *context: Any) -> Iterator[Any]:
        """The distributions that the finder finds, without those that are hidden."""
        for found in self._finder.find_distributions(*context):
            if re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower() not in self._distributions:
                yield found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._finder, name)


def note_written(log: int) -> None:
    """Write down what this process writes from now on."""

    def tell(path: object) -> None:
        if isinstance(path, str | bytes | os.PathLike):
            os.write(log, os.path.abspath(os.fsdecode(path)).encode() + b"\n")  # noqa: PTH100

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        match event:
            case "open" if isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR):
                tell(arguments[0])
            case "sqlite3.connect" if "mode=ro" not in str(arguments[0]):
                tell(arguments[0])
            case "os.mkdir" | "os.remove" | "os.rmdir":
                tell(arguments[0])
            case "os.rename" | "os.symlink" | "os.link":
                tell(arguments[1])

    sys.addaudithook(hook)


if "THREEPLY_HIDDEN" in os.environ:
    with open(os.environ["THREEPLY_HIDDEN"], encoding="utf-8") as file:  # noqa: PTH123 (nothing more is imported)
        HIDDEN = json.load(file)
    sys.meta_path[:] = [
        Without(finder, frozenset(HIDDEN["modules"]), frozenset(HIDDEN["distributions"]))  # type: ignore[misc]
        if hasattr(finder, "find_distributions")
        else finder
        for finder in sys.meta_path
    ]
    note_written(os.open(os.environ["THREEPLY_WRITTEN"], os.O_WRONLY | os.O_CREAT | os.O_APPEND))
