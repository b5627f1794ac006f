"""Files read as what they should hold, and their checksums."""

import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from deploy.errors import ThreeplyError

T = TypeVar("T")
_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)  # to make one takes longer than to use it


def read_json(path: Path, kind: type[T], *, error: type[ThreeplyError], advice: str) -> T:
    """What the JSON file at `path` holds, as a `kind`: a dataclass with all below it, or `dict[str, float]`.

    Raises:
        error: it is missing, no JSON, or something else; the message says what, and then the `advice`.
    """
    return _read(path, lambda text: parse_json(text, kind), error, advice)


def read_json_lines(path: Path, kind: type[T], *, error: type[ThreeplyError], advice: str) -> list[T]:
    """What each line of the file at `path` holds, as a `kind`; blank lines are passed over.

    Raises:
        error: as `read_json`; the message names the line.
    """

    def parse(text: bytes) -> list[T]:
        found: list[T] = []
        for number, line in enumerate(text.split(b"\n"), start=1):
            try:
                found += [parse_json(line, kind)] if line.strip() else []
            except ValueError as fault:
                raise ValueError(f"line {number}: {fault}") from None
        return found

    return _read(path, parse, error, advice)


def json_lines(text: str) -> list[Any]:
    """What each line holds; blank ones are passed over.

    Lines end at line feeds alone: a text may hold the others that `str.splitlines` knows, such as U+2028.

    Raises:
        ValueError: a line is no JSON.
    """
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def parse_json(text: bytes | str, kind: type[T]) -> T:
    """What JSON holds, as a `kind`.

    Raises:
        ValueError: it is no JSON, or something else; the message is one line.
    """
    try:
        parsed: T = _adapter(kind).validate_json(text, strict=True, extra="forbid")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{place}: {first['msg']}" if place else first["msg"]) from None
    return parsed


def sha256_of(path: Path) -> str:
    """The sha256 of one file, or of all files of a folder with their names."""
    if path.is_dir():
        tree = hashlib.sha256()
        for file in files_below(path):
            tree.update(f"{file.relative_to(path).as_posix()}\0{sha256_of(file)}\n".encode())
        return tree.hexdigest()
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def text_sha256(text: str) -> str:
    """The sha256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def files_below(folder: Path) -> list[Path]:
    """All files below `folder`, links included, in a fixed order."""
    return sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())


def _read(path: Path, parse: Callable[[bytes], T], error: type[ThreeplyError], advice: str) -> T:
    try:
        return parse(path.read_bytes())
    except OSError as fault:
        told = fault.strerror or str(fault)
    except ValueError as fault:
        told = str(fault)
    raise error(f"{path} cannot be read: {told}; {advice}") from None
