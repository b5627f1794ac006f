"""What is known of each line of a dirty file: what was planted in it, and what it was before."""

import json
from dataclasses import dataclass
from pathlib import Path

from benchmarks.data.fates import Text

DIRTY, TRUTH = "dirty_sft.jsonl", "dirty_truth.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line, its fault (`none`: it is clean), and what should be done: keep, drop, repair, redact, review.

    `group` is that of its copies, `of` the id of the line that it copies; `values` are what has to go from
    its text, `original` is the text before it was spoilt, `given` what stands there (None: no record).
    """

    number: int
    id: str
    fault: str
    kind: str
    action: str
    group: str
    of: str
    lookalike: str
    values: tuple[str, ...]
    original: Text | None
    given: Text | None


def read_lines(folder: Path) -> list[Line]:
    """The lines of the dirty file in `folder`, in their order."""
    raw = (folder / DIRTY).read_bytes().split(b"\n")
    known = (folder / TRUTH).read_text(encoding="utf-8").splitlines()
    return [_line(truth, raw[number]) for number, truth in enumerate(map(json.loads, known))]


def _line(truth: dict[str, object], raw: bytes) -> Line:
    def told(name: str) -> str:
        return str(truth.get(name) or "")

    original, values = truth.get("original"), truth.get("values")
    return Line(
        number=int(told("line")),
        id=told("id"),
        fault=told("fault"),
        kind=told("kind"),
        action=told("action"),
        group=told("group"),
        of=told("of"),
        lookalike=told("lookalike"),
        values=tuple(value["text"] for value in values) if isinstance(values, list) else (),
        original=(original["prompt"], original["response"]) if isinstance(original, dict) else None,
        given=_text(raw),
    )


def _text(raw: bytes) -> Text | None:
    try:
        record = json.loads(raw)
        return str(record["prompt"] or ""), str(record["response"] or "")
    except (ValueError, TypeError, KeyError):
        return None
