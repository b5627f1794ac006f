"""Opinions about answers as pairs: the better and the worse of two, of a comparison, or of a ranking.

A ranking of K answers makes a pair of each two that are not equally good (Ouyang et al. 2022,
arXiv:2203.02155).
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, TypeGuard, get_args

from deploy.messages import Message
from tasks.prepare.collect.columns import (
    Shape,
    check_present,
    evidence,
    group,
    held_out,
    metadata,
    row_id,
    task,
)
from tasks.prepare.collect.values import (
    NothingPreferredError,
    WrongShapeError,
    as_text,
    read_prompt,
    read_transcript,
    read_turns,
)
from tasks.rows.identity import prompt_key
from tasks.rows.keys import KeyMap, as_keys, key_of
from tasks.rows.records import Example, LabelKind, Preference

# How good a response is, where it is an object that says so itself; the better has more of it.
_RATINGS = ("rating", "overall_score", "score")
_TEXTS = ("response", "text", "content", "answer", "completion")
_DRAWS = {"tie", "tie (bothbad)", "both", "equal", "neither", "none", ""}


def preferences(shape: Shape, values: Mapping[str, Any], source: str) -> list[Preference]:
    """The pairs that a record tells of, in which each better answer stands beside each worse one.

    Raises:
        NothingPreferredError: all its answers are equally good.
        WrongShapeError: it does not have the shape.
    """
    turns, worths = {"preference": _chosen, "comparison": _compared, "ranking": _ranked}[shape.name](
        shape, values
    )
    prompt, answers = _parted(shape, values, turns)
    stated = _margin(shape, values) if shape.name == "preference" else None
    pairs = [
        (one, other) if worths[one] > worths[other] else (other, one)
        for one, other in combinations(range(len(answers)), 2)
        if worths[one] != worths[other]
    ]
    if not pairs:
        raise NothingPreferredError("its answers are equally good")
    many = len(answers) > 2
    return [
        Preference(
            id=row_id(shape, values, source, str(prompt), answers[better], answers[worse])
            + (f":{better + 1}>{worse + 1}" if many else ""),
            source=source,
            task=task(shape, values),
            prompt=tuple(prompt),
            chosen=answers[better],
            rejected=answers[worse],
            margin=worths[better] - worths[worse] if stated is None else stated,
            label=_label(shape, values),
            flaw="",
            evidence=evidence(shape, values),
            quote="",
            withheld=(),
            group=group(shape, values, prompt),
            held_out=held_out(shape, values),
            metadata=metadata(shape, values),
        )
        for better, worse in pairs
    ]


def good_answers(pairs: Callable[[], Iterable[Preference]]) -> Iterator[Example]:
    """An example for each prompt, whose answer is the first that wins and that nothing beats.

    It is of the group of its pairs, so that they stand in one split. A prompt of which every answer is beaten
    once has none. `pairs` gives all of them each time that it is called: it is called twice.
    """
    import numpy as np

    prompts, winners, losers = bytearray(), bytearray(), bytearray()
    for pair in pairs():
        prompts += (prompt := key_of(prompt_key(pair.prompt)))
        winners += key_of(prompt.hex(), pair.chosen)
        losers += key_of(prompt.hex(), pair.rejected)
    unbeaten = np.flatnonzero(~KeyMap(as_keys(losers)).holds(as_keys(winners)))
    firsts = unbeaten[np.unique(as_keys(prompts)[unbeaten], return_index=True)[1]]
    wanted = iter(sorted(firsts.tolist()))
    place = next(wanted, None)
    for number, pair in enumerate(pairs()):
        if number == place:
            yield pair.better(f"{pair.id}:chosen")
            place = next(wanted, None)


_Judged = tuple[list[Any], list[float]]


def _chosen(shape: Shape, values: Mapping[str, Any]) -> _Judged:
    check_present(shape, values, "chosen", "rejected")
    return [shape.value(values, "chosen"), shape.value(values, "rejected")], [1.0, 0.0]


def _compared(shape: Shape, values: Mapping[str, Any]) -> _Judged:
    """Two answers, and which of them wins: by its letter or number, or by a rating of each."""
    check_present(shape, values, "answer_a", "answer_b")
    answers = [shape.value(values, "answer_a"), shape.value(values, "answer_b")]
    names = [shape.columns[column].rpartition("_")[2].lower() for column in ("answer_a", "answer_b")]
    if "winner" in shape.columns:
        told = str(values.get(shape.columns["winner"])).strip().lower()
        winner = told.rpartition("_")[2]
        if winner in names:
            return answers, [float(winner == name) for name in names]
        if told not in _DRAWS:
            raise WrongShapeError(
                f"{shape.columns['winner']} is {told[:20]!r}; it should be {names[0]}, {names[1]} or tie"
            )
        return answers, [0.0, 0.0]
    kind = next((kind for kind in ("rating", "score") if f"{kind}_{names[0]}" in values), "rating")
    return answers, [_number(values.get(f"{kind}_{name}"), f"{kind}_{name}") for name in names]


def _ranked(shape: Shape, values: Mapping[str, Any]) -> _Judged:
    """Any number of answers with a rating each (more is better) or a rank each (1 is best)."""
    check_present(shape, values, "responses", "prompt")
    found = shape.value(values, "responses")
    if not isinstance(found, list) or len(found) < 2:
        raise WrongShapeError(f"{shape.columns['responses']} is no list of two and more answers")
    column = next((name for name in ("ratings", "ranking") if name in shape.columns), None)
    if column is None:
        name = next((name for name in _RATINGS if _has(found, name)), None)
        if name is None:
            raise WrongShapeError("its answers have neither ratings nor a ranking")
        worths = [_number(each[name], name) for each in found]
    else:
        told = shape.value(values, column)
        if not isinstance(told, list) or len(told) != len(found):
            raise WrongShapeError(f"{shape.columns[column]} is no list of a number for each answer")
        sign = -1.0 if column == "ranking" else 1.0
        worths = [sign * _number(each, shape.columns[column]) for each in told]
    return [_said(each) for each in found], worths


def _has(found: Sequence[Any], name: str) -> bool:
    return all(isinstance(each, dict) and name in each for each in found)


def _said(answer: Any) -> Any:
    """The text of an answer that is an object with more."""
    if not isinstance(answer, dict):
        return answer
    return next((answer[name] for name in _TEXTS if name in answer), None)


def _parted(
    shape: Shape, values: Mapping[str, Any], answers: Sequence[Any]
) -> tuple[list[Message], list[str]]:
    """The prompt and the texts of the answers; each may be a conversation that begins with the prompt."""
    asked = shape.value(values, "prompt")
    prompt = read_prompt(asked, shape.columns.get("prompt", "prompt")) if asked is not None else []
    names = [name for name in ("chosen", "rejected", "answer_a", "answer_b") if name in shape.columns]
    names = (
        names if len(names) == len(answers) else [shape.columns.get("responses", "responses")] * len(answers)
    )
    turns = [
        _conversation(each, name, has_prompt=bool(prompt)) for each, name in zip(answers, names, strict=True)
    ]
    if not prompt and all(len(each) > 1 for each in turns):
        if any(each[:-1] != turns[0][:-1] for each in turns):
            raise WrongShapeError(f"{names[0]} and {names[1]} differ before their last turn")
        prompt = turns[0][:-1]
    if not prompt:
        raise WrongShapeError("there is no prompt")
    return prompt, [each[-1].content for each in turns]


def _conversation(value: Any, name: str, *, has_prompt: bool) -> list[Message]:
    """An answer as the last of the turns that it comes with."""
    if isinstance(value, list):
        return read_turns(value, name)
    answer = as_text(value, name)
    turns = [] if has_prompt else read_transcript(answer)
    return turns or [Message("assistant", answer)]


def _label(shape: Shape, values: Mapping[str, Any]) -> LabelKind:
    told = shape.value(values, "label")
    return next((kind for kind in get_args(LabelKind) if kind == told), "human")


def _margin(shape: Shape, values: Mapping[str, Any]) -> float:
    """By how much the chosen answer is better: as it is told, else the difference of the answers' ratings."""
    told = shape.value(values, "margin")
    if _is_number(told):
        return float(told)
    better, worse = (
        next((values[name] for name in (f"{which}_rating", f"{which}-rating") if name in values), None)
        for which in ("chosen", "rejected")
    )
    return float(better) - float(worse) if _is_number(better) and _is_number(worse) else 0.0


def _number(value: Any, name: str) -> float:
    if not _is_number(value):
        raise WrongShapeError(f"{name} is {str(value)[:20]!r}, not a number")
    return float(value)


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
