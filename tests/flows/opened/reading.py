"""Reads what `sitecustomize` beside it has noted."""

import json
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_STAGED = re.compile(r"^\.(.+)\.(?:partial|old)-\d+$")
_CODE = ("tasks", "deploy", "flows")  # tests/flows/test_code_dependencies.py compares those with the imports


def opened(folder: Path) -> dict[str, set[str]]:
    """What each stage has opened of its place to read, by the name of the stage; code does not count."""
    found: dict[str, set[str]] = {}
    for words, paths in _logs(folder):
        found.setdefault(words[0], set()).update(map(str, paths))
    return found


def undeclared(folder: Path) -> dict[str, set[str]]:
    """What each stage has opened that is no argument of it, nor its settings, nor its own work."""
    found: dict[str, set[str]] = {}
    for words, paths in _logs(folder):
        named = [PurePosixPath(word) for word in words[1:] if not word.startswith("--")]
        for path in paths:
            own = PurePosixPath(*(_STAGED.sub(r"\1", part) for part in path.parts))
            if not any(own.is_relative_to(one) for one in named):
                found.setdefault(words[0], set()).add(str(path))
    return found


def _logs(folder: Path) -> Iterator[tuple[list[str], list[PurePosixPath]]]:
    """For each process of a stage its words, from the stage's name on, and what it opened of the place."""
    for log in sorted(folder.iterdir()):
        told, *lines = log.read_text(encoding="utf-8").splitlines()
        words: list[str] = json.loads(told)
        if words[:1] == ["--params"]:
            words = words[2:]
        paths = [PurePosixPath(line) for line in lines]
        yield words, [path for path in paths if _of_the_place(path)]


def _of_the_place(path: PurePosixPath) -> bool:
    return (
        not path.is_absolute()
        and path.parts[0] not in {"..", ".threeply", "params.yaml", *_CODE}
        and path.suffix not in {".py", ".pyc"}
    )
