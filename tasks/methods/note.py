"""The note beside an adapter: which method made it, how it was set, and what it cannot do."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deploy.atomic import write_json
from deploy.files import read_json
from tasks.errors import SourceError

NOTE = "method.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodNote:
    """A method with its settings; `cannot` gives for each ability that the adapter has not the reason."""

    method: str
    settings: Mapping[str, Any]
    cannot: Mapping[str, str]


def write_note(folder: Path, note: MethodNote) -> None:
    """Write the note beside the adapter in `folder`."""
    write_json(folder / NOTE, asdict(note))


def read_note(folder: Path) -> MethodNote:
    """The note beside the adapter in `folder`.

    Raises:
        SourceError: the note is missing or damaged.
    """
    return read_json(folder / NOTE, MethodNote, error=SourceError, advice="run dvc repro sft")
