"""Reads what `sitecustomize` beside it has noted."""

import json
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tests.flows.opened.sitecustomize import NETWORK

_STAGED = re.compile(r"^\.(.+)\.(?:partial|old)-\d+(?:\.\d+)?$")
_WATCHED = ("data", "sources")  # code is compared with the imports, by tests/flows/test_code_dependencies.py
_OF_THE_FRONT_DOOR = {"data/reports/stages.json", "data/lab/stages.json"}  # where it writes down the time


def opened(folder: Path) -> dict[str, set[str]]:
    """What each stage has opened of its place to read, by the name of the stage."""
    found: dict[str, set[str]] = {}
    for words, paths in _logs(folder):
        found.setdefault(words[0], set()).update(map(str, paths))
    return found


def reached(folder: Path) -> dict[str, set[str]]:
    """The other machines that each stage has looked for; a stage that has looked for none is not there."""
    found: dict[str, set[str]] = {}
    for words, lines in _noted(folder):
        hosts = {line.removeprefix(NETWORK) for line in lines if line.startswith(NETWORK)}
        if hosts:
            found.setdefault(words[0], set()).update(hosts)
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
    for words, lines in _noted(folder):
        files = [line for line in lines if not line.startswith(NETWORK) and line not in _OF_THE_FRONT_DOOR]
        yield words, [path for line in files if (path := PurePosixPath(line)).parts[0] in _WATCHED]


def _noted(folder: Path) -> Iterator[tuple[list[str], list[str]]]:
    """For each process of a stage its words, and all that was noted of it."""
    for log in sorted(folder.iterdir()):
        # A process that has restarted itself with other variables says its words again.
        told, *lines = log.read_text(encoding="utf-8").splitlines()
        words: list[str] = json.loads(told)
        if words[:1] == ["--params"]:
            words = words[2:]
        yield words, [line for line in lines if line != told]
