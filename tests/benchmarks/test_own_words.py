"""Protects the questions in people's own words: true answers, halves apart, each takes its answers alone."""

import importlib
import inspect
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, get_args

import pytest

from benchmarks.own_words.judging import right
from benchmarks.own_words.questions import Alternative, Kind, Part, Question, read_questions
from tasks.scoring.values import same_value

QUESTIONS = read_questions()
PARTS = {part: read_questions(part) for part in get_args(Part)}
WITH_PARAMETER = [question for question in QUESTIONS if question.parameter]


def named(question: Question) -> str:
    return question.id


def signature_of(name: str) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(callable_of(name)).parameters


def callable_of(name: str) -> Any:
    """What `name` means: the longest module in it, and the attributes behind that."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            found = getattr(found, part)
        return found
    raise AssertionError(f"nothing is called {name}")


def test_both_halves_ask_as_much_of_each_kind_and_nothing_twice() -> None:
    assert {part: len(some) for part, some in PARTS.items()} == {"tuning": 52, "final": 52}
    tuning, final = (Counter(question.kind for question in some) for some in PARTS.values())
    assert tuning == final
    assert set(tuning) == set(get_args(Kind))
    assert all(sum(len(one.messages) > 1 for one in some) == 10 for some in PARTS.values())
    assert len({question.id for question in QUESTIONS}) == len(QUESTIONS)
    assert len({question.asked.lower() for question in QUESTIONS}) == len(QUESTIONS)


def test_the_halves_ask_about_different_callables() -> None:
    tuning, final = ({name for question in some for name in question.about} for some in PARTS.values())
    assert not tuning & final
    for names in (tuning, final):
        packages = Counter(name.split(".")[0] for name in names)
        assert set(packages) == {"numpy", "scipy", "sklearn", "pandas"}
        assert min(packages.values()) >= 10


@pytest.mark.parametrize("asked", QUESTIONS, ids=named)
def test_a_question_is_a_conversation_with_an_answer(asked: Question) -> None:
    roles = [message.role for message in asked.messages]
    assert roles == ["user" if turn % 2 == 0 else "assistant" for turn in range(len(roles))]
    assert len(roles) % 2 == 1
    assert all(message.content.strip() for message in asked.messages)
    assert asked.accept
    assert asked.answerable == bool(asked.about) == (asked.kind not in {"talk", "off"})
    assert len(set(asked.about)) == len(asked.about)
    assert all(callable(callable_of(name)) for name in asked.about)


@pytest.mark.parametrize("asked", WITH_PARAMETER, ids=named)
def test_what_is_said_of_a_parameter_is_true_of_the_installed_package(asked: Question) -> None:
    parameter = str(asked.parameter)
    found = {name: signature_of(name).get(parameter) for name in asked.about}
    wants_no = any(one.no for one in asked.accept)
    match asked.kind:
        case "default":
            [first, *_] = [one.value for one in asked.accept if one.value is not None]
            for name, held in found.items():
                assert held is not None, name
                assert same_value(repr(held.default), first), name
        case "none":
            assert [held and held.default for held in found.values()] == [None]
        case "exists":
            assert [held is None for held in found.values()] == [wants_no]
        case "compare" if wants_no:
            [one, other] = found.values()
            assert one is not None
            assert other is not None
            assert one.default != other.default
        case "compare":
            having = {name for name, held in found.items() if held is not None}
            assert having == {one.name for one in asked.accept}
        case _:
            assert all(held is not None for held in found.values())


def test_what_follow_ups_ask_for_in_vain_is_indeed_not_there() -> None:
    assert "learning_rate" not in signature_of("sklearn.ensemble.RandomForestClassifier")
    assert "n_jobs" not in signature_of("numpy.dot")


def test_every_default_has_its_question_about_it_checked() -> None:
    assert all(question.parameter for question in QUESTIONS if question.kind in {"default", "none", "exists"})


def ideal(one: Alternative) -> str:
    """An answer that one alternative accepts."""
    if one.value is not None:
        return f"It is `{one.value}` [1]."
    if one.name is not None:
        return f"`{one.name}` does that [1]."
    if one.yes or one.no:
        return "Yes, it does [1]." if one.yes else "No, it has not [1]."
    if one.abstains:
        return "The documentation does not say."
    phrases = [*(one.all or ()), *(one.any or ())[:1], *(one.talk or ())[:1]]
    return " ".join(phrase.split("|")[0].removesuffix("*") for phrase in phrases) + "."


@pytest.mark.parametrize("asked", QUESTIONS, ids=named)
def test_each_question_takes_its_answers_and_nothing_else(asked: Question) -> None:
    for one in asked.accept:
        assert right(asked, ideal(one)), one
    assert right(asked, "The documentation does not say.") == any(one.abstains for one in asked.accept)
    for nothing in ("", "[1]", "`frobnicate` [1].", "See the user guide for more."):
        assert not right(asked, nothing), nothing


@pytest.mark.parametrize(
    "wrong", [{}, {"value": "1", "name": "f"}, {"all": []}, {"yes": False}, {"words": ["a"]}]
)
def test_an_alternative_is_one_thing(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="Alternative"):
        Alternative.model_validate_json(json.dumps(wrong))
