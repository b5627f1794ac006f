"""Rows for people to correct, and what they corrected: JSONL to fill in, records of Argilla or Label Studio.

Each record holds the texts that can be changed, each beside what was read, and a decision that is empty:
`use` (with these texts) or `leave out`. Argilla (docs.argilla.io) and Label Studio (labelstud.io) give back
the same by each person; where people differ nothing is decided.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from tasks.prepare.collect.corrections import fingerprint, texts_of
from tasks.prepare.collect.identifiers import Correction, Decision
from tasks.rows.records import Document, Dropped, Row, RowKind
from tasks.rows.tables import KIND_OF

Format = Literal["jsonl", "argilla", "label-studio"]
NEW = "corrected_"  # and the name of a text: what people are asked for
DECISION = "decision"
NAMES: Mapping[RowKind, tuple[str, ...]] = {
    "example": ("question", "answer"),
    "preference": ("question", "chosen", "rejected"),
    "document": ("title", "text"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What people said: corrections, how many records wait for one, and the ids on which people differ."""

    corrections: tuple[Correction, ...]
    waiting: int
    torn: tuple[str, ...]


def to_correct(rows: Iterable[tuple[Row, Dropped]], form: Format) -> list[dict[str, Any]]:
    """The records that people are given: of each row what it says, and why it went no further."""
    make = {"jsonl": _to_fill_in, "argilla": _for_argilla, "label-studio": _for_label_studio}[form]
    return [make(row, _about(row, lost)) for row, lost in rows]


def answered(records: Sequence[Mapping[str, Any]]) -> Answered:
    """What people have decided in records of any of the three forms.

    Raises:
        ValueError: a record is none of these, or what stands there is no decision; the message names it.
    """
    corrections: list[Correction] = []
    torn: list[str] = []
    waiting = 0
    for number, record in enumerate(records, start=1):
        about, said = _read(record, number)
        by_words = {(decision, *sorted(texts.items())): (decision, texts) for decision, texts in said}
        different = list(by_words.values())
        if not different:
            waiting += 1
        elif len(different) > 1:
            torn.append(about["id"])
        else:
            decision, texts = different[0]
            corrections.append(
                Correction(
                    id=about["id"], kind=about["kind"], was=about["was"], decision=decision, texts=texts
                )
            )
    return Answered(corrections=tuple(corrections), waiting=waiting, torn=tuple(torn))


def _about(row: Row, lost: Dropped) -> dict[str, str]:
    """What a record tells of its row besides its texts."""
    return {
        "id": row.id,
        "kind": KIND_OF[type(row)],
        "source": row.source,
        "why": f"{lost.stage}: {lost.reason} {lost.detail}".strip(),
        "was": fingerprint(row),
    }


def _before(row: Row) -> str:
    """The turns before the question."""
    if isinstance(row, Document):
        return ""
    return "\n\n".join(f"{turn.role}: {turn.content}" for turn in row.prompt[:-1])


def _to_fill_in(row: Row, about: Mapping[str, str]) -> dict[str, Any]:
    return {**about, "before": _before(row), "texts": texts_of(row), DECISION: None}


def _for_argilla(row: Row, about: Mapping[str, str]) -> dict[str, Any]:
    texts = texts_of(row)
    return {
        "id": f"{about['kind']} {about['id']}",
        "fields": {"why": about["why"], "before": _before(row), **texts},
        "suggestions": {f"{NEW}{name}": {"value": text} for name, text in texts.items()},
        "metadata": dict(about),
    }


def _for_label_studio(row: Row, about: Mapping[str, str]) -> dict[str, Any]:
    texts = texts_of(row)
    filled = [
        {"from_name": f"{NEW}{name}", "to_name": name, "type": "textarea", "value": {"text": [text]}}
        for name, text in texts.items()
    ]
    return {"data": {**about, "before": _before(row), **texts}, "predictions": [{"result": filled}]}


Said = list[tuple[Decision, dict[str, str]]]


def _read(record: Mapping[str, Any], number: int) -> tuple[Mapping[str, Any], Said]:
    """What a record is about, and what each person said."""
    if "texts" in record:
        about: Any = record
        told = [(record.get(DECISION), record["texts"])]
    elif "fields" in record:
        about, told = record.get("metadata"), _of_argilla(record)
    elif "data" in record:
        about, told = record["data"], _of_label_studio(record)
    else:
        raise ValueError(f"record {number} is none that threeply rows export has written")
    if not isinstance(about, Mapping) or not all(
        isinstance(about.get(name), str) for name in ("id", "kind", "was")
    ):
        raise ValueError(f"record {number} does not say which row it is about (id, kind, was)")
    if about["kind"] not in NAMES:
        raise ValueError(f"record {number}: {about['kind']!r} is no kind of row")
    return about, [_checked(about, decision, texts) for decision, texts in told if decision is not None]


def _checked(about: Mapping[str, Any], decision: Any, texts: Any) -> tuple[Decision, dict[str, str]]:
    known = get_args(Decision)
    if decision not in known:
        raise ValueError(
            f"the decision about {about['id']!r} is {decision!r}; it should be {' or '.join(known)}"
        )
    names = NAMES[about["kind"]]
    if not isinstance(texts, Mapping) or not all(
        name in names and isinstance(text, str) for name, text in texts.items()
    ):
        raise ValueError(f"the texts of {about['id']!r} should be {', '.join(names)}, each a text")
    return decision, dict(texts)


def _of_argilla(record: Mapping[str, Any]) -> list[tuple[Any, dict[str, Any]]]:
    """What each person answered: Argilla lists answers by question, each with who gave it."""
    responses = record.get("responses") or {}
    people: dict[Any, dict[str, Any]] = {}
    for question, given in responses.items():
        for place, one in enumerate(given or ()):
            people.setdefault(one.get("user_id", place), {})[question] = one.get("value")
    return [_parted(answers) for answers in people.values()]


def _of_label_studio(record: Mapping[str, Any]) -> list[tuple[Any, dict[str, Any]]]:
    found = []
    for annotation in record.get("annotations") or ():
        answers: dict[str, Any] = {}
        for each in () if annotation.get("was_cancelled") else annotation.get("result") or ():
            value = each.get("value") or {}
            told = value.get("text", value.get("choices"))
            answers[each.get("from_name")] = "\n".join(told) if isinstance(told, list) else told
        found.append(_parted(answers))
    return found


def _parted(answers: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The decision, and the texts by the names that they have in the row."""
    texts = {name.removeprefix(NEW): text for name, text in answers.items() if name.startswith(NEW)}
    return answers.get(DECISION), texts
