"""The note beside an adapter: which method made it, how it was set, and what it cannot do."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.atomic import write_json
from tasks.errors import SourceError

NOTE = "method.json"


def write_note(folder: Path, *, method: str, settings: Mapping[str, Any], cannot: Mapping[str, str]) -> None:
    """Write the note; `cannot` gives for each ability that the adapter has not the reason."""
    write_json(folder / NOTE, {"method": method, "settings": dict(settings), "cannot": dict(cannot)})


def read_note(folder: Path) -> dict[str, Any]:
    """The note beside the adapter in `folder`: its `method`, its `settings`, and what it `cannot`.

    Raises:
        SourceError: the note is missing or damaged.
    """
    try:
        note = json.loads((folder / NOTE).read_text(encoding="utf-8"))
        return {
            "method": str(note["method"]),
            "settings": dict(note["settings"]),
            "cannot": dict(note["cannot"]),
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise SourceError(f"{folder / NOTE} cannot be read: {error!r}; run dvc repro sft") from None


def refusal(folder: Path, ability: str) -> str:
    """Why the adapter in `folder` has not an ability such as `ppo`; empty if it has.

    Raises:
        SourceError: the note is missing or damaged.
    """
    return str(read_note(folder)["cannot"].get(ability, ""))
