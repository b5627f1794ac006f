"""Protects the scores of answers with a form: what parses and agrees counts, whatever its layout."""

import json

import pytest

from tasks.scoring import SCORERS
from tasks.scoring.scores import score
from tasks.scoring.verdicts import verdict_of
from tests.tasks.scoring.test_scores import example

JSON = '{"name": "norm", "parameters": [{"name": "ord", "default": null}, {"name": "axis", "default": 1}]}'


@pytest.mark.parametrize("task", SCORERS)
def test_the_task_of_a_row_chooses_its_scorer_and_the_good_answer_scores_one(task: str) -> None:
    good = {"label": "positive", "summary": "A short text.", "json": JSON, "sql": "SELECT 1", "code": "a = 1"}
    good |= {"exists": "Yes, it has `a`.", "confirm": "It is `2`, so no."}
    good |= {"compare": "It is `2` in a and `2` in b: the same."}
    assert score(example(task, good[task]), good[task]) == 1.0
    assert score(example(task, good[task]), "quite another, broken ( {") < 0.2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (JSON, 1.0),
        (f"```json\n{json.dumps(json.loads(JSON), indent=2)}\n```", 1.0),
        (f"```\n{JSON}", 1.0),  # an answer that is cut after its closing bracket
        (JSON.replace(": 1", ": 1.0"), 1.0),
        (JSON.replace(": 1", ": true"), 0.8),  # four of five fields
        (JSON.replace('"axis"', '"axes"'), 0.8),
        ('{"name": "norm"}', 2 / 6),
        (JSON[:-1], 0.0),
        (f"Here it is: {JSON}", 0.0),
        (JSON.replace("null", "None"), 0.0),
        (JSON.replace("null", "NaN"), 0.0),
        ('{"name": "norm", "name": "norm"}', 0.0),
        ("[" * 100_000, 0.0),
        ("9" * 5000, 0.0),  # more digits than Python converts
        ("", 0.0),
    ],
)
def test_json_is_compared_by_field(text: str, expected: float) -> None:
    assert score(example("json", JSON), text) == pytest.approx(expected)


def test_an_empty_object_is_a_field() -> None:
    assert score(example("json", '{"a": {}}'), '{"a": {}}') == 1.0
    assert score(example("json", '{"a": {}}'), '{"a": []}') == 0.0
    assert score(example("json", "[]"), "[]") == 1.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("positive", 1.0),
        ("`Positive`. [1]", 1.0),
        ("**positive**", 1.0),
        ("positive, I think", 0.0),
        ("negative", 0.0),
        ("", 0.0),
    ],
)
def test_a_label_is_exact_but_for_what_stands_around_it(text: str, expected: float) -> None:
    assert score(example("label", "positive"), text) == expected


@pytest.mark.parametrize(
    ("text", "gold", "expected"),
    [  # as rouge-score 0.1.2 gives them (rougeL, use_stemmer=False)
        ("the cat sat on the mat", "The cat was on the mat.", 10 / 12),
        ("police kill the gunman", "police killed the gunman", 0.75),
        ("the gunman police killed", "police killed the gunman", 0.5),
        ("a", "b", 0.0),
        ("", "b", 0.0),
        ("Sum_of array-elements", "Sum of array elements", 1.0),
    ],
)
def test_rouge_l_is_that_of_the_reference(text: str, gold: str, expected: float) -> None:
    assert score(example("summary", gold), text) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```python\nx = ['a',  'b']  # two\n```", 1.0),
        ('x = ["a", "b"]', 1.0),
        ("x = ['b', 'a']", 0.0),
        ("x = ['a', 'b'", 0.0),
        ("import os; os.abort()", 0.0),  # parsed, never run
        ("(" * 5000, 0.0),
        ("x = 1\n" * 10_000, 0.0),
        ("x\0", 0.0),
    ],
)
def test_code_is_compared_by_its_syntax_tree(text: str, expected: float) -> None:
    assert score(example("code", "x = ['a', 'b']"), text) == expected


@pytest.mark.parametrize(
    ("gold", "text", "expected"),
    [
        ("It is `2`, so no.", "It is `2`, so no. [1]", 1.0),
        ("It is `2`, so no.", "No, it is `2`. [1]", 1.0),
        ("It is `2`, so no.", "no. The default is 2.0 [1]", 1.0),
        ("It is `2`, so no.", "It is `2`, so yes.", 0.0),
        ("It is `2`, so no.", "It is `3`, so no.", 0.0),
        ("It is `2`, so no.", "No.", 0.0),
        ("It is `2`, so no.", "No, it is `2`, `4` or `8`.", 0.0),  # a list of guesses is no answer
        ("It is `2`, so no.", "No, `p` is `2` and not `5`.", 1.0),  # both are repeated from the question
        ("It is `2`, so yes.", "It is `2`.", 0.0),  # it says neither yes nor no
    ],
)
def test_a_verdict_needs_its_values(gold: str, text: str, expected: float) -> None:
    assert score(example("confirm", gold, asked="Is `p` `5` by default?"), text) == expected


@pytest.mark.parametrize(
    ("text", "same", "differ"),
    [  # scores of a text where both values are `2`, and where one of them is not
        ("It is `2` in a and `2` in b: the same. [1][2]", 1.0, 0.0),
        ("Yes, both use `2`.", 1.0, 0.0),
        ("They do not differ: `2`", 1.0, 0.0),
        ("It is `2` in a and `0` in b: they differ.", 0.0, 1.0),
        ("Not the same: `0` in b, `2` in a", 0.0, 1.0),
        ("It is `2` in a and `0` in b: the same.", 0.0, 0.0),
        ("It is `2` in a: they differ.", 0.0, 0.0),
        ("It is `2` in a and `0` in b.", 0.0, 0.0),  # whether that is the same was asked, too
    ],
)
def test_a_comparison_needs_both_values_and_what_they_come_to(text: str, same: float, differ: float) -> None:
    for asked in ("Do a and b have the same `p`?", "Do the defaults for `p` differ in a and b?"):
        gold = "It is `2` in a and `2` in b: the same."
        assert score(example("compare", gold, asked=asked), text) == same
        gold = "It is `2` in a and `0` in b: they differ."
        assert score(example("compare", gold, asked=asked), text) == differ


def test_a_value_is_no_verdict() -> None:
    gold = "It is `'same'` in a and `'same'` in b: the same."
    assert score(example("compare", gold, asked="Are they alike?"), "`'same'` in a and b") == 0.0


def test_a_bare_no_means_what_was_asked() -> None:
    gold, no = "It is `2` in a and `0` in b: they differ.", "No: `2` in a, `0` in b"
    assert score(example("compare", gold, asked="Are they alike?"), no) == 1.0
    assert score(example("compare", gold, asked="Are they different?"), no) == 0.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Yes, it has `p`.", True),
        ("yes", True),
        ("It does have it.", True),
        ("That's nothing.", None),
        ("It does not.", False),
        ("No.", False),
        ("None", None),
        ("Note that it has.", None),
        ("Yesterday it had.", None),
        ("It is `2`, so yes. [1]", True),
        ("`2`: no", False),
        ("There is no", None),
        ("No, so yes", False),
    ],
)
def test_yes_and_no_are_read_at_the_beginning_and_at_the_end(text: str, said: bool | None) -> None:
    assert verdict_of(text) is said
