"""What speaks against optimising for a reward model, written beside it: RLHF asks before it begins."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.atomic import write_json
from deploy.files import read_json
from tasks.errors import SourceError

GATE = "gate.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Why nobody should optimise for the reward model beside it; no reason: it may be."""

    shortcomings: tuple[str, ...]


def write_gate(folder: Path, shortcomings: Sequence[str]) -> None:
    """Write beside the reward model in `folder` what speaks against it."""
    write_json(folder / GATE, asdict(Gate(shortcomings=tuple(shortcomings))))


def closed(folder: Path) -> str:
    """Why RLHF is not to be judged by the reward model in `folder`; empty: it may be.

    Raises:
        SourceError: the note is missing or damaged.
    """
    gate = read_json(folder / GATE, Gate, error=SourceError, advice="run dvc repro reward")
    return "; ".join(gate.shortcomings)
