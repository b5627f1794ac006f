"""Protects the rule by which an answer counts as abstaining: training, scoring and the gate share it."""

import pytest

from deploy.abstention import ABSTENTION, abstains


@pytest.mark.parametrize(
    "text",
    [
        ABSTENTION,
        "the documentation does not say",
        "  THE DOCUMENTATION DOES NOT SAY!  ",
        "The documentation does not say. [2]",
        "The documentation doesn't say.",
        "The documentation does not say what the default of `sklearn.svm.SVC.C` is.",
        "The context does not mention it.",
        "I don\u2019t know.",
        "The documentation does not explicitly state that it takes `n`.",
        "This function has no parameter called that.",
    ],
)
def test_recognised(text: str) -> None:
    assert abstains(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        "`1.0` [1]",
        "Does not say how far it goes: 3.",
        "If None, the axis is not used.",
        "It is `1.0`. The documentation does not say.",
        "No, the documentation does not say that it is `None`.",
    ],
)
def test_answers_are_not_taken_for_abstentions(text: str) -> None:
    assert not abstains(text)
