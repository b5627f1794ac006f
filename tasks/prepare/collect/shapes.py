"""The shapes that a file of rows may have, how one is recognised, and how its records become rows."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from deploy.abstention import ABSTENTION, abstains
from deploy.files import text_sha256
from deploy.messages import Message
from tasks.prepare.collect.columns import (
    Shape,
    ShapeName,
    check_present,
    evidence,
    group,
    held_out,
    metadata,
    named,
    row_id,
    task,
    text_of,
)
from tasks.prepare.collect.identifiers import identifier
from tasks.prepare.collect.opinions import preferences
from tasks.prepare.collect.values import WrongShapeError, as_text, read_prompt, read_truth, read_turns
from tasks.rows.records import Document, Example, Row, RowKind

# Column names that are common for the same thing, the best first.
NAMES: Mapping[str, tuple[str, ...]] = {
    "messages": ("messages", "conversations", "conversation"),
    "prompt": ("prompt", "question", "instruction", "query"),
    "completion": ("completion", "response", "answer", "output", "command", "answers"),
    "chosen": ("chosen", "preferred", "chosen_response"),
    "rejected": ("rejected", "dispreferred", "rejected_response"),
    "responses": ("responses", "completions", "candidates", "generations"),
    "answer_a": (
        "answer_a",
        "response_a",
        "conversation_a",
        "response_0",
        "output_1",
        "response_1",
    ),
    "answer_b": (
        "answer_b",
        "response_b",
        "conversation_b",
        "response_1",
        "output_2",
        "response_2",
    ),
    "ratings": ("ratings", "scores"),
    "ranking": ("ranking", "ranks"),
    "winner": ("winner", "better", "better_response_id", "preference"),
    "instruction": ("instruction",),
    "input": ("input",),
    "output": ("output",),
    "text": ("text", "content", "body"),
    "label": ("label",),
}


# Tried in this order: a preference also has a prompt, and alpaca's names are those of other shapes, too.
_NEEDED: tuple[tuple[ShapeName, RowKind, tuple[str, ...]], ...] = (
    ("messages", "example", ("messages",)),
    ("preference", "preference", ("chosen", "rejected")),
    ("comparison", "preference", ("answer_a", "answer_b")),
    ("ranking", "preference", ("responses", "prompt")),
    ("alpaca", "example", ("instruction", "output")),
    ("prompt+completion", "example", ("prompt", "completion")),
    ("text+label", "example", ("text", "label")),
    ("document", "document", ("text",)),
)


_BESIDE = ("prompt", "winner", "ratings", "ranking")  # what a preference may have as well


def recognise(present: Collection[str], given: Mapping[str, str], keep: Collection[str] = ()) -> Shape | None:
    """The shape of records with the columns `present`; `given` names columns that params.yaml maps.

    A label that is among those to `keep` goes along with a document, and is no answer.
    """
    for name, kind, needed in _NEEDED:
        if name == "text+label" and not set(NAMES["label"]).isdisjoint(keep):
            continue
        columns = dict(given)
        for column in (*needed, *_BESIDE) if kind == "preference" else needed:
            taken = set(columns.values())
            known = next((alias for alias in NAMES[column] if alias in present and alias not in taken), None)
            if column not in columns and known:
                columns[column] = known
        if all(columns.get(column) in present for column in needed):
            return Shape(name=name, kind=kind, columns=columns)
    return None


def as_rows(shape: Shape, values: Mapping[str, Any], source: str) -> Sequence[Row]:
    """The rows that a record makes: one, or a preference for each two answers of which one is better.

    Raises:
        WrongShapeError: it does not have the shape.
    """
    match shape.name:
        case "preference" | "comparison" | "ranking":
            return preferences(shape, values, source)
        case name:
            return [_MAKERS[name](shape, values, source)]


def _conversation(shape: Shape, values: Mapping[str, Any], source: str) -> Example:
    return _example(
        shape, values, source, read_turns(shape.value(values, "messages"), shape.columns["messages"])
    )


def _alpaca(shape: Shape, values: Mapping[str, Any], source: str) -> Example:
    instruction = text_of(shape, values, "instruction")
    extra = shape.value(values, "input")
    prompt = f"{instruction}\n\n{extra}" if isinstance(extra, str) and extra.strip() else instruction
    messages = [Message("user", prompt), Message("assistant", text_of(shape, values, "output"))]
    return _example(shape, values, source, messages)


def _prompt_completion(shape: Shape, values: Mapping[str, Any], source: str) -> Example:
    check_present(shape, values, "prompt", "completion")
    answer = shape.value(values, "completion")
    if isinstance(answer, list):
        # SQuAD lists what several readers marked, and nothing where the text does not answer.
        answer = answer[0] if answer else ABSTENTION
    if isinstance(answer, Sequence) and not isinstance(answer, str):
        raise WrongShapeError("the completion is a list of lists")
    completion = as_text(answer, shape.columns["completion"])
    prompt = read_prompt(shape.value(values, "prompt"), shape.columns["prompt"])
    return _example(shape, values, source, [*prompt, Message("assistant", completion)])


def _text_label(shape: Shape, values: Mapping[str, Any], source: str) -> Example:
    messages = [Message("user", text_of(shape, values, "text"))]
    return _example(shape, values, source, [*messages, Message("assistant", text_of(shape, values, "label"))])


def _document(shape: Shape, values: Mapping[str, Any], source: str) -> Document:
    text = text_of(shape, values, "text")
    title = shape.value(values, "title")
    title = title if isinstance(title, str) else ""
    extra = shape.value(values, "metadata")
    name = named(shape.value(values, "id")) or identifier(source, title, text)
    return Document(
        id=name,  # as it is given: the column `evidence` of another file refers to it
        source=source,
        uri=f"file:{source}#{name}",
        title=title,
        text=text,
        metadata=({str(key): str(value) for key, value in extra.items()} if isinstance(extra, dict) else {})
        | metadata(shape, values),
        sha256=text_sha256(text),
    )


_MAKERS: Mapping[ShapeName, Callable[[Shape, Mapping[str, Any], str], Example | Document]] = {
    "messages": _conversation,
    "alpaca": _alpaca,
    "prompt+completion": _prompt_completion,
    "text+label": _text_label,
    "document": _document,
}


def _example(shape: Shape, values: Mapping[str, Any], source: str, messages: Sequence[Message]) -> Example:
    if messages[-1].role != "assistant" or all(message.role != "user" for message in messages):
        raise WrongShapeError("a conversation needs a user's turn and ends with the assistant's")
    answerable = _answerable(shape, values, messages[-1].content)
    if not answerable and not messages[-1].content.strip():
        messages = [*messages[:-1], Message("assistant", ABSTENTION)]
    return Example(
        id=row_id(shape, values, source, str(messages)),
        source=source,
        task=task(shape, values),
        messages=tuple(messages),
        evidence=evidence(shape, values) if answerable else (),  # a text that does not answer is none
        quote="",
        withheld=(),
        answerable=answerable,
        group=group(shape, values, messages[:-1]),
        held_out=held_out(shape, values),
        metadata=metadata(shape, values),
    )


def _answerable(shape: Shape, values: Mapping[str, Any], answer: str) -> bool:
    """What the row tells; where it tells nothing (an empty cell of a CSV file), what its answer says."""
    told = shape.value(values, "answerable")
    silent = told is None or (isinstance(told, str) and not told.strip())
    return not abstains(answer) if silent else read_truth(told)
