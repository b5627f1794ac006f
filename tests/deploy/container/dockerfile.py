"""Reads a Dockerfile: its stages, each with its instructions."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Stage:
    """What one FROM begins: instructions as pairs of a word and what stands behind it."""

    name: str
    base: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def all(self, word: str) -> list[str]:
        """What stands behind each instruction that begins with `word`."""
        return [text for found, text in self.instructions if found == word]


def read_stages(path: Path) -> dict[str, Stage]:
    """The stages of a Dockerfile by their names."""
    stages: dict[str, Stage] = {}
    for line in _lines(path.read_text(encoding="utf-8")):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            stages[name] = Stage(name, base)
        elif stages:
            list(stages.values())[-1].instructions.append((word, rest.strip()))
    return stages


def words_of(text: str) -> list[str]:
    """The words of a command in the form that no shell reads."""
    words: list[str] = json.loads(text)
    return words


def _lines(text: str) -> Iterator[str]:
    """The instructions, each on one line."""
    joined = ""
    for line in text.splitlines():
        if line.lstrip().startswith("#") or not line.strip():
            continue
        joined += line.removesuffix("\\").strip() + " " if line.endswith("\\") else line
        if not line.endswith("\\"):
            yield joined.strip()
            joined = ""
