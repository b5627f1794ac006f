"""Protects the judging of answers to people's own words: what is right is so in any words, and counted."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.own_words import __main__ as own_words
from benchmarks.own_words.judging import right
from benchmarks.own_words.questions import Alternative, Question
from deploy.answer import Answer, Layers
from deploy.messages import Message
from deploy.prompts.template import Source


def question(
    *accept: dict[str, Any], asked: str = "what is it", about: tuple[str, ...] = (), parameter: str = ""
) -> Question:
    return Question(
        id="one",
        part="tuning",
        kind="default",
        messages=(Message("user", asked),),
        accept=tuple(Alternative.model_validate_json(json.dumps(one)) for one in accept),
        answerable=bool(about),
        about=about,
        parameter=parameter or None,
    )


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("The default of `n` is `100` [1].", "100", True),
        ("`n` is 100 by default.", "100", True),
        ("It is 100.", "100", True),
        ("`n=100`", "100", True),
        ("In `numpy.f`, `n` is `100.0`.", "100", True),
        ("It is 1000.", "100", False),
        ("It is 100.5 [1].", "100", False),
        ("It is v100.", "100", False),
        ("It does not say [100].", "100", False),
        ("The default is `2`, not 100.", "100", False),
        ("It is 100, that is `2`.", "100", False),
        ("It is `100` or `2`.", "100", False),
        ("It was `10` and is `100`.", "100", False),
        ("In `numpy.g` it is `100`.", "100", False),
        ("It is `True`.", "1", False),
        ("It is `l2`.", "'l2'", True),
        ('It is "l2".', "'l2'", True),
        ("It uses the l2 norm.", "'l2'", True),
        ("It is not l2 but l1.", "'l2'", False),
        ("It is l21.", "'l2'", False),
        ("The `l2` norm.", "'l2'", True),
        ("It is (100,).", "(100,)", True),
        ("It is `(100, )`.", "(100,)", True),
        ("It is 100.", "(100,)", False),
        ("It is `0.0001`.", "1e-4", True),
        ("No, by default it is `False`.", "False", True),
        ("It is None.", "False", False),
    ],
)
def test_values_are_judged_as_values(text: str, value: str, expected: bool) -> None:
    asked = question({"value": value}, about=("numpy.f",), parameter="n")
    assert right(asked, text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("`numpy.linalg.norm` computes it [1].", True),
        ("Use `norm`.", True),
        ("Use np.linalg.norm(x).", True),
        ("The function norm does that.", True),
        ("In `numpy.linalg`, `norm` does that.", True),
        ("`norm(x, ord=2)`", True),
        ("`scipy.linalg.norm` computes it.", False),
        ("`numpy.linalg.normalize` computes it.", False),
        ("`det`, not `norm`.", False),
        ("Not `det` but `norm`.", True),
        ("The normal one.", False),
        ("`numpy.linalg` has it.", False),
    ],
)
def test_names_are_judged_by_the_first_that_is_recommended(text: str, expected: bool) -> None:
    asked = question({"name": "numpy.linalg.norm"}, about=("numpy.linalg.norm",))
    assert right(asked, text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("`beta` [1].", True),
        ("beta does.", True),
        ("`alpha` does not, `beta` does.", True),
        ("Unlike `alpha`, `beta` has `n`.", True),
        ("`n` is a parameter of beta.", True),
        ("`alpha` has it.", False),
        ("`alpha`, not `beta`.", False),
        ("`beta` and `alpha`.", False),
        ("Both `beta` and `alpha` have it.", False),
        ("Neither beta nor alpha.", False),
        ("beta does not.", False),
    ],
)
def test_of_two_only_the_right_one_is_right(text: str, expected: bool) -> None:
    asked = question({"name": "numpy.beta"}, about=("numpy.alpha", "numpy.beta"), parameter="n")
    assert right(asked, text) is expected


@pytest.mark.parametrize(
    ("text", "yes", "no"),
    [
        ("Yes.", True, False),
        ("yes, `f` has it [1].", True, False),
        ("`f` has the parameter `n` [1].", True, False),
        ("It accepts an `n`.", True, False),
        ("No.", False, True),
        ("No, it does not.", False, True),
        ("Nope", False, True),
        ("It does not.", False, True),
        ("It isn't possible.", False, True),
        ("It is `None`.", False, False),
        ("You can: `n` does that.", True, False),
        ("Right edges are closed.", False, False),
        ("`f` doesn\u2019t take `n`.", False, True),
        ("There is no `n` in `f`.", False, True),
        ("`n` is not one of the parameters.", False, True),
        ("Not every array can be sorted.", False, False),
        ("None of them is needed.", False, False),
        ("Note that `n` is needed.", False, False),
        ("No idea.", False, False),
        ("Yesterday it was there.", False, False),
        ("The documentation does not say.", False, False),
        ("`int`", False, False),
        ("It is `2`, so yes.", True, False),
        ("It is `2`, so no.", False, True),
        ("It is `2` in a and `2` in b: the same.", True, False),
        ("It is `2` in a and `3` in b: they differ.", False, True),
        ("`None`: so", False, False),
    ],
)
def test_yes_and_no_are_said_plainly(text: str, yes: bool, no: bool) -> None:
    assert right(question({"yes": True}, about=("numpy.f",)), text) is yes
    assert right(question({"no": True}, about=("numpy.f",)), text) is no


def test_a_right_value_behind_the_wrong_yes_is_wrong() -> None:
    asked = question({"no": True}, {"value": "False"}, about=("numpy.f",), parameter="n")
    assert not right(asked, "It is `False`, so yes.")
    assert right(asked, "It is `False`, so no.")
    assert right(asked, "No, the default of `n` is `False`.")
    assert right(asked, "`n` is `False` by default.")
    assert not right(asked, "Yes, the default of `n` is `False`.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It shuffles the data before splitting.", True),
        ("Shuffling happens BEFORE the split.", True),
        ("It `shuffle`s nothing before.", False),
        ("It reshuffles before.", False),
        ("It shuffles beforehand.", False),
        ("The documentation does not say whether to shuffle before.", False),
    ],
)
def test_phrases_are_whole_words(text: str, expected: bool) -> None:
    asked = question({"all": ["shuffl*", "before"], "any": ["split*", "data"]}, about=("numpy.f",))
    assert right(asked, text) is expected


def test_numbers_in_phrases_are_whole_and_marks_are_none() -> None:
    asked = question({"all": ["0", "1"]}, about=("numpy.f",))
    assert right(asked, "One has 0, the other 1.")
    assert not right(asked, "One has 0, the other 10 [1].")
    assert not right(asked, "Both have 0.1 and 1.0.")


def test_small_talk_is_short() -> None:
    asked = question({"talk": ["hello", "hi"]})
    assert right(asked, "Hello! What would you like to know?")
    assert not right(asked, "This is it.")
    assert not right(asked, "Hello! " + "It goes on. " * 20)
    assert not right(asked, "Hello, I do not know.")


def answered(text: str, *titles: str) -> Answer:
    sources = tuple(
        Source(number=number, document=title, uri=f"py:{title}", title=title, text=title)
        for number, title in enumerate(titles, start=1)
    )
    return Answer(
        text=text,
        citations=(),
        sources=sources,
        left_out=0,
        layers=Layers(),
        prompt_tokens=1,
        completion_tokens=1,
        finished=True,
        retrieval_seconds=0.0,
        seconds=0.0,
    )


def test_what_is_right_and_found_is_counted() -> None:
    one = question({"value": "100"}, about=("numpy.f", "numpy.g"), parameter="n")
    compared = one.model_copy(update={"kind": "compare"})
    judged = [
        own_words.judge(one, answered("`100`", "numpy.g", "numpy.h")),
        own_words.judge(one, answered("`10`", "numpy.h")),
        own_words.judge(compared, answered("`10`", "numpy.f", "numpy.h")),
        own_words.judge(question({"talk": ["hi"]}), answered("Hi!", "numpy.f")),
    ]
    assert [each.found for each in judged] == [True, False, False, False]
    told = own_words.summary(judged, part="tuning", model="sft")
    assert (told["right"], told["questions"], told["found"], told["abstaining"]) == (2, 4, 0.333, 0)
    assert told["by_kind"] == {
        "default": {"right": 2, "questions": 3},
        "compare": {"right": 0, "questions": 1},
    }
    low, high = told["interval"]
    assert 0.0 < low < 0.5 < high < 1.0
    lines = own_words.wrong(judged)
    assert [line.split()[0] for line in lines] == ["one", ">", "<", "one", ">", "<"]
    assert lines[0].endswith("(numpy.f not found)")
    assert own_words.table(judged, told).splitlines()[-1].split()[:4] == ["all", "2", "4", "0.500"]


def test_without_a_bundle_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["own_words", "--bundle", str(tmp_path / "none")])
    assert own_words.main() == 1
    assert str(tmp_path) in capsys.readouterr().err
