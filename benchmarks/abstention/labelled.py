"""Answers of every arm, each with what a reader made of it, who knew the rule but not what it found."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.files import read_json_lines
from tasks.errors import SourceError
from tasks.evaluation.answers import AnsweredQuestion
from tasks.rows.sampling import stratified

ANSWERS = Path(__file__).parent / "answers.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One answer of one arm. `abstains`: a reader finds that it says it has no answer to the question."""

    arm: str
    question: str
    answer: str
    abstains: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How a rule and the reader agree: of `n` answers the reader took `positives` for abstentions.

    `precision` is the share of the rule's finds that are among them, `recall` the share of them that it
    finds; None where there is nothing to divide by.
    """

    n: int
    positives: int
    found: int
    both: int

    @property
    def precision(self) -> float | None:
        """Of what the rule finds, the share that is right."""
        return self.both / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        """Of what there is, the share that the rule finds."""
        return self.both / self.positives if self.positives else None


def read_labelled(path: Path = ANSWERS) -> list[Labelled]:
    """The answers with their labels.

    Raises:
        SourceError: a line is not such an answer.
    """
    return read_json_lines(path, Labelled, error=SourceError, advice="it belongs to the repository")


def agreement(rows: Sequence[Labelled], rule: Callable[[str], bool]) -> Agreement:
    """How `rule` agrees with the labels of `rows`."""
    said = [rule(row.answer) for row in rows]
    return Agreement(
        n=len(rows),
        positives=sum(row.abstains for row in rows),
        found=sum(said),
        both=sum(row.abstains and found for row, found in zip(rows, said, strict=True)),
    )


def drawn(questions: Iterable[AnsweredQuestion], count: int, *, seed: int) -> list[dict[str, str]]:
    """At most `count` different answers to label, spread over the arms; nothing says what the rule found."""
    seen: dict[tuple[str, str], dict[str, str]] = {}
    for question in questions:
        for arm, answer in question.arms.items():
            row = {"arm": arm, "question": question.question, "answer": answer.text}
            seen.setdefault((arm, answer.text), row)
    return stratified(list(seen.values()), count, key=lambda row: row["arm"], seed=seed)
