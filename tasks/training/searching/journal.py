"""The journal of a search: one file an attempt, whole or not there, so a killed search loses one at most."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deploy.atomic import remove, write_json
from deploy.files import parse_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One training of a candidate in a rung.

    `tokens` is what it was given, `trained` what it was trained on. Where it failed, `failed` says why, and
    `trained` and `loss` are None.
    """

    rung: int
    number: int
    method: str
    settings: Mapping[str, Any]
    tokens: int
    trained: int | None
    loss: float | None
    seconds: float
    failed: str


class Journal:
    """The attempts that a search has behind it, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, rung: int, number: int, settings: Mapping[str, Any]) -> Attempt | None:
        """The attempt of a candidate with just these settings in a rung, if it was made and can be read."""
        try:
            found = parse_json(self._path(rung, number).read_bytes(), Attempt)
        except (OSError, ValueError):
            return None
        return found if found.settings == settings else None

    def add(self, attempt: Attempt) -> None:
        """Keep an attempt."""
        write_json(self._path(attempt.rung, attempt.number), asdict(attempt))

    def clear(self) -> None:
        """Forget all attempts."""
        remove(self._folder)

    def _path(self, rung: int, number: int) -> Path:
        return self._folder / f"{rung}-{number:03}.json"
