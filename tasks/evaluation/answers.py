"""The answers behind the ledger: one JSON line a question, with what each arm said to it."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.atomic import write_text
from deploy.files import read_json_lines
from tasks.errors import SourceError


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmAnswer:
    """What one arm said, how good it was, and the titles of the sources that it saw, by their number."""

    text: str
    score: float
    abstained: bool
    citations: tuple[int, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredQuestion:
    """One question of the test split with the good answer and that of each arm."""

    id: str
    task: str
    answerable: bool
    question: str
    gold: str
    arms: dict[str, ArmAnswer]


def write_answers(path: Path, questions: Iterable[AnsweredQuestion]) -> None:
    """Write one JSON object a line, atomically."""
    lines = [json.dumps(asdict(question), ensure_ascii=False) for question in questions]
    write_text(path, "".join(f"{line}\n" for line in lines))


def read_answers(path: Path) -> list[AnsweredQuestion]:
    """The questions that `write_answers` wrote.

    Raises:
        SourceError: the file is missing, or a line is not such a question.
    """
    return read_json_lines(path, AnsweredQuestion, error=SourceError, advice="run dvc repro evaluate")
