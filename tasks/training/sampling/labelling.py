"""Answers for people to judge, and what they judged: as JSONL that anybody can fill in, or as in Argilla.

A line of ours holds `prompt`, `responses` and an empty `ranking` with a place for each response (1 is the
best; equals are ties). Argilla's ranking question (docs.argilla.io) gives back the same in `responses`, by
each person; several people's ranks are averaged.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from deploy.messages import Message
from tasks.rows.records import LabelKind
from tasks.training.sampling.answers import Sampled

ANSWERS = "answers.jsonl"
Format = Literal["jsonl", "argilla"]
FIELD = "response-"  # and its number, from 1: of a record of Argilla
QUESTION = "ranking"
UNENDED = ("draft", "discarded")  # what a person of Argilla has not said, or taken back
JUDGED: LabelKind = "judge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Different answers to one question: a line of the file that the stage writes.

    `reference` is the good answer of its row. People are not shown it, a model that judges is.
    """

    id: str
    task: str
    prompt: tuple[Message, ...]
    responses: tuple[str, ...]
    evidence: tuple[str, ...]
    group: str
    reference: str


def lines(sampled: Sequence[Sampled]) -> str:
    """What the stage writes: a line for each prompt with answers that differ."""
    return as_lines([_record(each) for each in sampled if len(each.answers) > 1])


def judged_by_model(answers: Answers, ranking: Sequence[float]) -> dict[str, Any]:
    """The record of answers that a model has ranked."""
    return {**_to_fill_in(answers), QUESTION: list(ranking), "label": JUDGED}


def as_lines(records: Sequence[Mapping[str, Any]]) -> str:
    """Records as JSONL."""
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def to_label(answers: Sequence[Answers], form: Format) -> list[dict[str, Any]]:
    """The records that people are given."""
    return [_for_argilla(each) if form == "argilla" else _to_fill_in(each) for each in answers]


def labelled(
    records: Sequence[Mapping[str, Any]], answers: Sequence[Answers]
) -> tuple[list[dict[str, Any]], int]:
    """What people judged, as rankings that the source `file` reads, and how many records nobody has judged.

    Raises:
        ValueError: a record is of none of these answers, or its ranking does not fit; the message names it.
    """
    known = {each.id: each for each in answers}
    found: list[dict[str, Any]] = []
    for record in records:
        if not isinstance(record, Mapping):
            raise ValueError(f"a line holds {type(record).__name__}, and no record")
        name = str(record.get("id"))
        if name not in known:
            raise ValueError(f"the answers of {name!r} were not drawn in the last run")
        each = known[name]
        ranking = _ranking(record, len(each.responses))
        if ranking is not None:
            label = JUDGED if record.get("label") == JUDGED else "human"
            found.append({**_to_fill_in(each), QUESTION: ranking, "label": label})
    return found, len(records) - len(found)


def _record(sampled: Sampled) -> dict[str, Any]:
    example = sampled.example
    return {
        "id": example.id,
        "task": example.task,
        "prompt": _turns(example.prompt),
        "responses": list(sampled.answers),
        "evidence": list(example.evidence),
        "group": example.group,
        "reference": example.answer,
    }


def _turns(prompt: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": turn.role, "content": turn.content} for turn in prompt]


def _to_fill_in(answers: Answers) -> dict[str, Any]:
    return {
        "id": answers.id,
        "task": answers.task,
        "prompt": _turns(answers.prompt),
        "responses": list(answers.responses),
        QUESTION: [None] * len(answers.responses),
        "evidence": list(answers.evidence),
        "group": answers.group,
    }


def _for_argilla(answers: Answers) -> dict[str, Any]:
    asked = "\n\n".join(f"{turn.role}: {turn.content}" for turn in answers.prompt[:-1])
    question = answers.prompt[-1].content
    responses = {f"{FIELD}{number}": text for number, text in enumerate(answers.responses, start=1)}
    return {
        "id": answers.id,
        "fields": {"prompt": f"{asked}\n\n{question}" if asked else question, **responses},
        "metadata": {"task": answers.task},
    }


def _ranking(record: Mapping[str, Any], count: int) -> list[float] | None:
    """The rank of each of `count` responses; None where nobody has judged."""
    told = record.get(QUESTION)
    if told is None and isinstance(record.get("responses"), dict):
        given = [each for each in record["responses"].get(QUESTION) or [] if isinstance(each, dict)]
        ended = [each for each in given if each.get("status") not in UNENDED]
        by_person = [_of_person(one.get("value"), record, count) for one in ended]
        return [sum(ranks) / len(ranks) for ranks in zip(*by_person, strict=True)] if by_person else None
    if told is None or (isinstance(told, list) and all(rank is None for rank in told)):
        return None
    if not isinstance(told, list) or len(told) != count or not all(map(_is_rank, told)):
        raise ValueError(
            f"the ranking of {record.get('id')!r} should be a list of {count} ranks, 1 for the best"
        )
    return [float(rank) for rank in told]


def _of_person(value: Any, record: Mapping[str, Any], count: int) -> list[float]:
    """One person's ranks in the order of the responses; Argilla's client gives the names, best first."""
    listed = value if isinstance(value, list) else []
    if all(isinstance(each, str) for each in listed):
        ranks: dict[Any, Any] = {each: place for place, each in enumerate(listed, start=1)}
    else:
        ranks = {each.get("value"): each.get("rank") for each in listed if isinstance(each, dict)}
    found = [ranks.get(f"{FIELD}{number}") for number in range(1, count + 1)]
    if not all(map(_is_rank, found)):
        raise ValueError(f"a ranking of {record.get('id')!r} has no rank for each of the {count} responses")
    return [float(rank) for rank in found if rank is not None]


def _is_rank(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 1
