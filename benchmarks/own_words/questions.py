"""The questions: what is asked, what answers it, and which passages say so."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from deploy.messages import Message

QUESTIONS = Path(__file__).parent / "questions.jsonl"

Part = Literal["tuning", "final"]
Kind = Literal["default", "meaning", "lookup", "exists", "compare", "none", "talk", "off"]


class Alternative(BaseModel):
    """One acceptable answer: exactly one field is set, or `all` and `any` together.

    Phrases of `all` and `any` may hold alternatives between `|`, and end with `*` for any ending.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    value: str | None = None
    name: str | None = None
    all: tuple[str, ...] | None = None
    any: tuple[str, ...] | None = None
    yes: Literal[True] | None = None
    no: Literal[True] | None = None
    abstains: Literal[True] | None = None
    talk: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        given = self.model_dump(exclude_none=True)
        if set(given) != {"all", "any"} and len(given) != 1:
            raise ValueError(f"an alternative is one thing, not {sorted(given)}")
        if any(isinstance(held, tuple | str) and not held for held in given.values()):
            raise ValueError("an alternative asks for something")
        return self


class Question(BaseModel):
    """One conversation that ends with a question.

    `about` are the documented callables that answer it, under every name that they may be found by;
    `parameter` is the one asked about, whether it exists or not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str
    part: Part
    kind: Kind
    messages: tuple[Message, ...]
    accept: tuple[Alternative, ...]
    answerable: bool
    about: tuple[str, ...]
    parameter: str | None = None

    @property
    def asked(self) -> str:
        """The last turn."""
        return self.messages[-1].content


def read_questions(part: Part | None = None, path: Path = QUESTIONS) -> list[Question]:
    """The questions of one part in the order of the file; without `part`, all of them."""
    lines = path.read_text(encoding="utf-8").splitlines()
    questions = [Question.model_validate_json(line) for line in lines]
    return [question for question in questions if part in {None, question.part}]
