"""The items of evaluation sets that training must not know: read, never a source of rows."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.messages import Message
from tasks.errors import SourceError
from tasks.machine.disk import say_if_unwatched
from tasks.prepare.collect.readers import Fault, Record, ending, read_records
from tasks.prepare.collect.readers.jsonl import MOST_BYTES
from tasks.prepare.collect.readers.packed import lines, text_bytes
from tasks.prepare.collect.readers.whole import whole
from tasks.prepare.collect.shapes import NAMES, as_rows, recognise
from tasks.prepare.collect.values import WrongShapeError, read_prompt
from tasks.rows.records import Document, EvaluationItem

_LIST = ".txt"  # an item a line
_ALONE = (*NAMES["prompt"], *NAMES["text"])  # columns that hold an item where no whole shape fits


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluations:
    """The items of all sets, and for each file how many it has (`items`) and how many lines hold none."""

    items: tuple[EvaluationItem, ...]
    figures: tuple[dict[str, Any], ...]


def read_evaluations(paths: Sequence[Path], *, watched: Path) -> Evaluations:
    """The items of the files: what is asked of a row of any shape, or a line of a plain list (.txt).

    Answers are no part of an item: many questions share one.

    Raises:
        SourceError: a file is missing, unreadable, or holds no item.
    """
    found: list[EvaluationItem] = []
    figures: list[dict[str, Any]] = []
    for path in paths:
        say_if_unwatched(path, watched)
        source, faults, count = path.as_posix(), Counter[str](), 0
        for entry in _plain_lines(path) if ending(path)[0] == _LIST else read_records(path):
            prompts = _prompts(entry, source)
            count += len(prompts)
            faults[entry.reason if isinstance(entry, Fault) else "no_item"] += not prompts
            found += [
                EvaluationItem(id=f"{source}:{entry.line}", source=source, prompt=tuple(prompt))
                for prompt in prompts
            ]
        if not count:
            names = " or ".join(_ALONE)
            raise SourceError(
                f"{source} holds no item of an evaluation set; its lines need a known shape "
                f"(sources/README.md) or a column {names}; correct it, or take it out of split.evaluations"
            )
        unread = (
            f"; {faults.total()} lines hold none, and nothing is looked for there" if faults.total() else ""
        )
        print(f"{source}: {count} items of an evaluation set, which is never trained on{unread}")
        figures.append({"file": source, "items": count, "without": dict(sorted((+faults).items()))})
    return Evaluations(items=tuple(found), figures=tuple(figures))


def _plain_lines(path: Path) -> Iterator[Record | Fault]:
    """The lines of a list of texts that are not blank."""
    with whole(path), text_bytes(path) as file:
        for number, line in lines(file, MOST_BYTES):
            if line is None:
                yield Fault(number, "too_long", f"more than {MOST_BYTES // 2**20} MiB")
            elif line.strip():
                yield _text(number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line)


def _text(number: int, line: bytes) -> Record | Fault:
    try:
        return Record(number, {"text": line.decode("utf-8").strip()})
    except UnicodeError:
        return Fault(number, "not_utf8", "invalid bytes")


def _prompts(entry: Record | Fault, source: str) -> list[Sequence[Message]]:
    """What a record asks, without repetition; nothing where it holds no text."""
    if isinstance(entry, Fault):
        return []
    try:
        asked = dict.fromkeys(_asked(entry.values, source))
    except WrongShapeError:
        return []
    return [prompt for prompt in asked if any(turn.content.strip() for turn in prompt)]


def _asked(values: dict[str, Any], source: str) -> Iterator[tuple[Message, ...]]:
    if shape := recognise(values.keys(), {}):
        for row in as_rows(shape, values, source):
            yield (Message("user", row.text),) if isinstance(row, Document) else row.prompt
    else:
        name = next((name for name in _ALONE if values.get(name) not in (None, "")), None)
        if name is not None:
            yield tuple(read_prompt(values[name], name))
