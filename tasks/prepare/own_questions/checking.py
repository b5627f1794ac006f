"""What is wrong with the questions of a test set, line by line, as the source `file` would read them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.abstention import ABSTENTION, abstains
from tasks.errors import SourceError
from tasks.prepare.collect.columns import Shape
from tasks.prepare.collect.files import shape_of
from tasks.prepare.collect.readers import Fault, Record, read_records
from tasks.prepare.collect.shapes import as_rows
from tasks.prepare.collect.values import WrongShapeError
from tasks.rows.identity import PromptKey, asked_text, prompt_key
from tasks.rows.literal import literalness, longest_run
from tasks.rows.records import Example

ENOUGH = 50  # questions: with fewer the interval of a score says little
COPIED = 0.6  # share of a question's words that may stand in its document in one run
_TRUTHS = {"", "true", "1", "yes", "false", "0", "no"}


@dataclass(frozen=True, slots=True)
class Remark:
    """What is to be said of a line; with a fault it is no question that can be asked."""

    line: int
    text: str
    is_fault: bool = True


@dataclass(frozen=True, slots=True)
class Question:
    """A line that holds a question: as the file has it, and as the chain will have it."""

    line: int
    values: Mapping[str, Any]
    row: Example


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The questions of a file in which no fault was found, what was found, and how many lines are empty.

    `literal` is their mean literalness (tasks/rows/literal.py), None where no document of theirs is known.
    """

    questions: tuple[Question, ...]
    remarks: tuple[Remark, ...]
    empty: int
    literal: float | None

    @property
    def faults(self) -> int:
        """How many lines have to be mended."""
        return len({remark.line for remark in self.remarks if remark.is_fault})


def check_questions(path: Path, documents: Mapping[str, str] | None) -> Checked:
    """What the file at `path` holds; `documents` are texts by what evidence may call them, None if not known.

    Raises:
        SourceError: it is missing or unreadable, or holds no questions with answers at all.
    """
    entries = list(read_records(path))
    shape = _questions_shape(path, entries)
    remarks: list[Remark] = []
    sound: list[Question] = []
    first: dict[PromptKey, Question] = {}
    empty = 0
    for entry in entries:
        if isinstance(entry, Fault):
            remarks.append(Remark(entry.line, f"cannot be read: {entry.detail}"))
            continue
        try:
            (row,) = as_rows(shape, entry.values, path.as_posix())
        except WrongShapeError as error:
            remarks.append(Remark(entry.line, f"cannot be read: {error}"))
            continue
        if not isinstance(row, Example):
            raise AssertionError(f"a file of {shape.kind}s has given a row of another kind")
        question = Question(entry.line, entry.values, row)
        if _is_empty(row):
            empty += 1
            continue
        found = [*_faults(question, shape), *_repeats(question, first), *_unknown(question, documents)]
        remarks += [Remark(entry.line, text) for text in found]
        if not found:
            sound.append(question)
            remarks += [Remark(entry.line, text, is_fault=False) for text in _copies(row, documents or {})]
    return Checked(
        questions=tuple(sound),
        remarks=tuple(remarks),
        empty=empty,
        literal=_literal([question.row for question in sound], documents or {}),
    )


def half_width(questions: int) -> float:
    """Half of the 95 % interval of a share of one half that so many questions give: the widest there is."""
    return 1.96 * math.sqrt(0.25 / questions)


def as_record(question: Question) -> dict[str, Any]:
    """What a line of the JSONL file holds: what the source `file` reads, and nothing else."""
    row = question.row
    given = {
        name: question.values[name]
        for name in ("id", "task", "group", "held_out")
        if question.values.get(name) not in (None, "")
    }
    asked: dict[str, Any] = {"question": row.prompt[0].content, "answer": row.answer}
    if len(row.prompt) > 1:
        asked = {"messages": [{"role": turn.role, "content": turn.content} for turn in row.messages]}
    evidence = {"evidence": list(row.evidence)} if row.evidence else {}
    return {**given, **asked, **evidence, "answerable": row.answerable}


def _questions_shape(path: Path, entries: Sequence[Record | Fault]) -> Shape:
    records = [entry for entry in entries if isinstance(entry, Record)]
    names = [name for record in records[:1] for name in record.values]
    if len(names) == 1 and ";" in names[0]:
        raise SourceError(f"the columns of {path} are parted by semicolons; save it as CSV with commas")
    if not entries:
        raise SourceError(f"{path} holds no rows; threeply test-set draw makes one to fill in")
    shape = shape_of(path, records, {})
    if shape.kind != "example":
        raise SourceError(f"{path} holds {shape.kind}s; a test set holds questions with answers")
    return shape


def _is_empty(row: Example) -> bool:
    """Whether nobody has filled in the line: there may be a document, and no question to it."""
    return not asked_text(row.prompt).strip() and row.answer.strip() in ("", ABSTENTION)


def _faults(question: Question, shape: Shape) -> list[str]:
    row, told = question.row, shape.value(question.values, "answerable")
    found: list[str] = []
    if not asked_text(row.prompt).strip():
        found.append("the question is empty")
    if isinstance(told, str) and told.strip().lower() not in _TRUTHS:
        return [*found, f"answerable is {told.strip()!r}; it should be yes or no, or empty for yes"]
    if not row.answer.strip():
        found.append("the answer is empty; where the documents do not say, write no under answerable")
    elif row.answerable and row.answer.strip() == ABSTENTION:
        found.append("it is answerable, and its answer says that the documentation does not say")
    elif not row.answerable and not abstains(row.answer):
        found.append("it has an answer, and answerable is no; empty one of the two")
    return found


def _repeats(question: Question, first: dict[PromptKey, Question]) -> list[str]:
    earlier = first.setdefault(prompt_key(question.row.prompt), question)
    if earlier is question or not asked_text(question.row.prompt).strip():
        return []
    same = earlier.row.answer.strip() == question.row.answer.strip()
    return [f"asks what line {earlier.line} asks{'' if same else ', and has another answer'}"]


def _unknown(question: Question, documents: Mapping[str, str] | None) -> list[str]:
    if documents is None:
        return []
    return [f"there is no document {name!r}" for name in question.row.evidence if name not in documents]


def _literal(rows: Sequence[Example], documents: Mapping[str, str]) -> float | None:
    shares = [
        max(literalness(asked_text(row.prompt), documents[name]) for name in known)
        for row in rows
        if (known := [name for name in row.evidence if name in documents])
    ]
    return sum(shares) / len(shares) if shares else None


def _copies(row: Example, documents: Mapping[str, str]) -> list[str]:
    shares = {
        name: longest_run(asked_text(row.prompt), documents[name])
        for name in row.evidence
        if name in documents
    }
    return [
        f"{share:.0%} of its words stand in {name} in one run; ask it in words of your own"
        for name, share in shares.items()
        if share > COPIED
    ]
