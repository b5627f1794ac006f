"""Protects the meaning of every number in the ledger: how an answer is scored, and what an interval says."""

import numpy as np
import pytest

from deploy.abstention import ABSTENTION, abstains
from tasks.rows.records import Example
from tasks.scoring.scores import (
    Interval,
    best_constant,
    bootstrap,
    frequent_answers,
    score,
    token_f1,
    verdict,
)
from tasks.scoring.values import same_value, stated_name, stated_value
from tests.tasks.rows.made import question


def example(task: str, answer: str, *, asked: str = "Q?", answerable: bool = True) -> Example:
    return question("e", asked, answer, task=task, evidence=("d",), answerable=answerable)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("`1.0` [1]", 1.0),
        ("The default of `C` in `sklearn.svm.SVC` is `1.0`.", 1.0),  # what the question named is no answer
        ("The default is 1.0 [2].", 1.0),
        ("It is 1 by default.", 1.0),
        ("[1] 1.0", 1.0),
        ("1e0", 1.0),
        ("`2.0`", 0.0),
        ("True", 0.0),
        ("None", 0.0),
        ("", 0.0),
        (ABSTENTION, 0.0),
    ],
)
def test_values_are_compared_as_python_values(text: str, expected: float) -> None:
    asked = example("default", "`1.0`", asked="In `sklearn.svm.SVC`, what is the default of `C`?")
    assert score(asked, text) == expected


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("'l2'", '"l2"', True),
        ("l2", "'l2'", True),
        ("1", "1.0", True),
        ("-1", "- 1", True),
        ("1e-3", "0.001", True),
        ("True", "1", False),
        ("None", "'None'", False),
        ("(1, 2)", "(1,2)", True),
        ("nan", "nan", True),
        ("[1]", "[2]", False),
        ("<no value>", "<no value>", True),
        ("(" * 300, "1", False),
    ],
)
def test_same_value(one: str, other: str, same: bool) -> None:
    assert same_value(one, other) is same


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("`[1]` [1]", "[1]"),  # a list in backticks is no citation mark
        ("It's 'lbfgs', I think", "'lbfgs'"),
        ("version l2 has 3.5e-4 as its default", "3.5e-4"),
        ("In 0.24.1 nothing", "In 0.24.1 nothing"),  # a version is no number
        ("auto [3]", "auto"),
        ("-1.", "-1."),
    ],
)
def test_the_stated_value(text: str, value: str) -> None:
    assert stated_value(text) == value


def test_names_must_be_exact() -> None:
    asked = example("lookup", "`numpy.linalg.norm`")
    assert score(asked, "That is `numpy.linalg.norm` [1].") == 1.0
    assert score(asked, "Use numpy.linalg.norm() [1]") == 1.0
    assert score(asked, "`numpy.linalg.det`") == 0.0
    assert stated_name("nothing here [1]") == "nothing here"


def test_sentences_share_words_as_in_squad() -> None:
    assert token_f1("The norm of a vector. [1]", "norm of the vector") == 1.0
    assert token_f1("norm", "norm of vector") == pytest.approx(0.5)
    assert token_f1("", "") == 1.0
    assert token_f1("", "word") == 0.0
    assert score(example("purpose", "The tolerance."), "the tolerance [2]") == 1.0
    assert score(example("chat", "hello world"), "hello") == pytest.approx(2 / 3)


def test_what_cannot_be_answered_wants_abstention_and_nothing_else() -> None:
    for task in ("absent", "default", "purpose", "lookup", "chat"):
        asked = example(task, ABSTENTION, answerable=False)
        assert score(asked, ABSTENTION) == 1.0
        assert score(asked, "`1.0` [1]") == 0.0
    assert score(example("purpose", "Some text."), ABSTENTION) == 0.0


def test_a_documented_sentence_that_sounds_like_abstaining_is_no_abstention() -> None:
    gold = "Used where the text does not specify a norm."
    assert abstains(gold)
    assert score(example("purpose", gold), gold) == 1.0


def test_the_bootstrap_repeats_covers_the_mean_and_knows_no_doubt_about_equal_values() -> None:
    values = np.random.default_rng(3).random(200).tolist()
    interval = bootstrap(values, resamples=1000, seed=1)
    assert interval == bootstrap(values, resamples=1000, seed=1)
    assert interval != bootstrap(values, resamples=1000, seed=2)
    assert interval.low < interval.mean < interval.high
    # The normal approximation: 1.96 standard errors, here 0.29 / sqrt(200).
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * np.std(values) / 200**0.5, rel=0.1)
    assert bootstrap([0.5, 0.5], resamples=100, seed=0) == Interval(mean=0.5, low=0.5, high=0.5)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.01, 0.2, "helps"),
        (-0.1, 0.1, "not clear"),
        (-0.2, -0.1, "does not help"),
        (0.0, 0.0, "does not help"),
    ],
)
def test_the_verdict_follows_the_interval(low: float, high: float, expected: str) -> None:
    assert verdict(Interval(mean=(low + high) / 2, low=low, high=high)) == expected


def test_the_best_constant_answer_is_the_one_that_scores_most() -> None:
    rows = [example("default", "`None`")] * 3 + [example("default", "`1`")] * 2
    rows += [example("absent", ABSTENTION, answerable=False)] * 2
    assert frequent_answers(rows, 2) == ["`None`", "`1`"]
    assert best_constant(rows, [ABSTENTION, *frequent_answers(rows, 2)]) == "`None`"
