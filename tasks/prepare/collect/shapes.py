"""The shapes that a file of rows may have, how one is recognised, and how its records become rows."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from deploy.abstention import ABSTENTION, abstains
from deploy.files import text_sha256
from deploy.messages import Message
from tasks.prepare.collect.identifiers import identifier
from tasks.prepare.collect.values import WrongShapeError, as_text, read_prompt, read_truth, read_turns
from tasks.rows.identity import prompt_key
from tasks.rows.records import Document, Example, Preference, RowKind

ShapeName = Literal["messages", "preference", "alpaca", "prompt+completion", "document"]
# Column names that are common for the same thing, the best first.
NAMES: Mapping[str, tuple[str, ...]] = {
    "messages": ("messages", "conversations", "conversation"),
    "prompt": ("prompt", "question", "instruction", "query"),
    "completion": ("completion", "response", "answer", "output", "command", "answers"),
    "chosen": ("chosen", "preferred"),
    "rejected": ("rejected", "dispreferred"),
    "instruction": ("instruction",),
    "input": ("input",),
    "output": ("output",),
    "text": ("text", "content", "body"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A shape as it is in one file: `columns` maps what is needed to the names it has there."""

    name: ShapeName
    kind: RowKind
    columns: Mapping[str, str]

    def value(self, values: Mapping[str, Any], column: str) -> Any:
        """What a record holds under `column`, None where it has no such column."""
        return values.get(self.columns.get(column, column))


# Tried in this order: a preference also has a prompt, and alpaca's names are those of other shapes, too.
_NEEDED: tuple[tuple[ShapeName, RowKind, tuple[str, ...]], ...] = (
    ("messages", "example", ("messages",)),
    ("preference", "preference", ("chosen", "rejected")),
    ("alpaca", "example", ("instruction", "output")),
    ("prompt+completion", "example", ("prompt", "completion")),
    ("document", "document", ("text",)),
)


def recognise(present: Collection[str], given: Mapping[str, str]) -> Shape | None:
    """The shape of records with the columns `present`; `given` names columns that params.yaml maps."""
    for name, kind, needed in _NEEDED:
        columns = dict(given)
        for column in (*needed, "prompt") if name == "preference" else needed:
            known = next((alias for alias in NAMES[column] if alias in present), None)
            if column not in columns and known:
                columns[column] = known
        if all(columns.get(column) in present for column in needed):
            return Shape(name=name, kind=kind, columns=columns)
    return None


def as_row(shape: Shape, values: Mapping[str, Any], source: str) -> Example | Preference | Document:
    """The row that a record makes.

    Raises:
        WrongShapeError: it does not have the shape.
    """
    return _MAKERS[shape.name](shape, values, source)


def _conversation(shape: Shape, values: Mapping[str, Any], source: str) -> Example:
    return _example(
        shape, values, source, read_turns(shape.value(values, "messages"), shape.columns["messages"])
    )


def _alpaca(shape: Shape, values: Mapping[str, Any], source: str) -> Example:
    instruction = _text(shape, values, "instruction")
    extra = shape.value(values, "input")
    prompt = f"{instruction}\n\n{extra}" if isinstance(extra, str) and extra.strip() else instruction
    messages = [Message("user", prompt), Message("assistant", _text(shape, values, "output"))]
    return _example(shape, values, source, messages)


def _prompt_completion(shape: Shape, values: Mapping[str, Any], source: str) -> Example:
    _check_present(shape, values, "prompt", "completion")
    answer = shape.value(values, "completion")
    if isinstance(answer, list):
        # SQuAD lists what several readers marked, and nothing where the text does not answer.
        answer = answer[0] if answer else ABSTENTION
    if isinstance(answer, Sequence) and not isinstance(answer, str):
        raise WrongShapeError("the completion is a list of lists")
    completion = as_text(answer, shape.columns["completion"])
    prompt = read_prompt(shape.value(values, "prompt"), shape.columns["prompt"])
    return _example(shape, values, source, [*prompt, Message("assistant", completion)])


def _preference(shape: Shape, values: Mapping[str, Any], source: str) -> Preference:
    _check_present(shape, values, "chosen", "rejected")
    chosen, rejected = shape.value(values, "chosen"), shape.value(values, "rejected")
    asked = shape.value(values, "prompt")
    prompt = read_prompt(asked, shape.columns.get("prompt", "prompt")) if asked is not None else []
    if isinstance(chosen, list) and isinstance(rejected, list):
        good, bad = read_turns(chosen, "chosen"), read_turns(rejected, "rejected")
        if not prompt:
            if good[:-1] != bad[:-1]:
                raise WrongShapeError("chosen and rejected differ before their last turn")
            prompt = good[:-1]
        chosen, rejected = good[-1].content, bad[-1].content
    if not prompt:
        raise WrongShapeError("there is no prompt")
    better, worse = as_text(chosen, "chosen"), as_text(rejected, "rejected")
    margin = shape.value(values, "margin")
    return Preference(
        id=_id(shape, values, source, str(prompt), better, worse),
        source=source,
        task=_task(shape, values),
        prompt=tuple(prompt),
        chosen=better,
        rejected=worse,
        margin=float(margin) if isinstance(margin, int | float) else 0.0,
        label="synthetic" if shape.value(values, "label") == "synthetic" else "human",
        flaw="",
        evidence=_evidence(shape, values),
        quote="",
        withheld=(),
        group=_group(shape, values, prompt),
        held_out=_held_out(shape, values),
    )


def _document(shape: Shape, values: Mapping[str, Any], source: str) -> Document:
    text = _text(shape, values, "text")
    title = shape.value(values, "title")
    title = title if isinstance(title, str) else ""
    extra = shape.value(values, "metadata")
    given = shape.value(values, "id")
    name = str(given) if isinstance(given, str | int) else identifier(source, title, text)
    return Document(
        id=name,  # as it is given: the column `evidence` of another file refers to it
        source=source,
        uri=f"file:{source}#{name}",
        title=title,
        text=text,
        metadata={str(key): str(value) for key, value in extra.items()} if isinstance(extra, dict) else {},
        sha256=text_sha256(text),
    )


_MAKERS: Mapping[ShapeName, Callable[[Shape, Mapping[str, Any], str], Example | Preference | Document]] = {
    "messages": _conversation,
    "preference": _preference,
    "alpaca": _alpaca,
    "prompt+completion": _prompt_completion,
    "document": _document,
}


def _example(shape: Shape, values: Mapping[str, Any], source: str, messages: Sequence[Message]) -> Example:
    if messages[-1].role != "assistant" or all(message.role != "user" for message in messages):
        raise WrongShapeError("a conversation needs a user's turn and ends with the assistant's")
    answerable = _answerable(shape, values, messages[-1].content)
    if not answerable and not messages[-1].content.strip():
        messages = [*messages[:-1], Message("assistant", ABSTENTION)]
    return Example(
        id=_id(shape, values, source, str(messages)),
        source=source,
        task=_task(shape, values),
        messages=tuple(messages),
        evidence=_evidence(shape, values) if answerable else (),  # a text that does not answer is none
        quote="",
        withheld=(),
        answerable=answerable,
        group=_group(shape, values, messages[:-1]),
        held_out=_held_out(shape, values),
    )


def _answerable(shape: Shape, values: Mapping[str, Any], answer: str) -> bool:
    """What the row tells; where it tells nothing (an empty cell of a CSV file), what its answer says."""
    told = shape.value(values, "answerable")
    silent = told is None or (isinstance(told, str) and not told.strip())
    return not abstains(answer) if silent else read_truth(told)


def _text(shape: Shape, values: Mapping[str, Any], column: str) -> str:
    _check_present(shape, values, column)
    return as_text(shape.value(values, column), shape.columns.get(column, column))


def _check_present(shape: Shape, values: Mapping[str, Any], *columns: str) -> None:
    """A column that is not there is a fault of shape; one that is there without a value is empty text."""
    for column in columns:
        if (name := shape.columns.get(column, column)) not in values:
            raise WrongShapeError(f"there is no {name}")


def _evidence(shape: Shape, values: Mapping[str, Any]) -> tuple[str, ...]:
    value = shape.value(values, "evidence")
    listed = value if isinstance(value, list) else [value]
    return tuple(str(document) for document in listed if document not in (None, ""))


def _task(shape: Shape, values: Mapping[str, Any]) -> str:
    """The given task, which says how answers are scored; else `chat`."""
    given = shape.value(values, "task")
    return given.strip() if isinstance(given, str) and given.strip() else "chat"


def _held_out(shape: Shape, values: Mapping[str, Any]) -> str:
    """The given name of what the row is held out for; else it may be trained on."""
    given = shape.value(values, "held_out")
    if given is not None and not isinstance(given, str):  # `true` would be trained on, and no one would know
        raise WrongShapeError(f"held_out is a {type(given).__name__}, not a name")
    return given.strip() if given else ""


def _id(shape: Shape, values: Mapping[str, Any], source: str, *content: str) -> str:
    """The given id under the name of its file, since two files may count from 1; else one from content."""
    given = shape.value(values, "id")
    return (
        f"{source}:{given}" if isinstance(given, str | int) and given != "" else identifier(source, *content)
    )


def _group(shape: Shape, values: Mapping[str, Any], prompt: Sequence[Message]) -> str:
    """The given group; else rows with the same prompt are a group."""
    given = shape.value(values, "group")
    return str(given) if isinstance(given, str | int) and given != "" else identifier(prompt_key(prompt))
