"""Files and folders that appear whole or not at all."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write a file or fill a folder at; it takes the place of `path` when the block ends.

    The old file or folder stays until the new one is complete, and a failed block leaves no trace.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    remove(partial)
    try:
        yield partial
        if partial.is_dir():
            # A folder cannot be renamed over a full one: the old one steps aside first.
            old = path.with_name(f".{path.name}.old-{os.getpid()}")
            remove(old)
            if path.exists():
                path.rename(old)
            partial.rename(path)
            remove(old)
        else:
            partial.replace(path)
    finally:
        remove(partial)


def remove(path: Path) -> None:
    """Remove a file or a whole folder; nothing happens if it is not there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, atomically."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON with sorted keys and a final newline, atomically."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
