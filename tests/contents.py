"""What a folder holds, to compare it with another one."""

from pathlib import Path

from benchmarks import reproducible


def hashes(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file below `folder`; fails without any: two missing ones are equal."""
    found = reproducible.hashes(folder)
    assert found, f"{folder} holds no file"
    return found


def remains(folder: Path, words: str) -> list[str]:
    """The files below `folder` that hold `words`."""
    return [path.name for path in folder.rglob("*") if path.is_file() and words.encode() in path.read_bytes()]
