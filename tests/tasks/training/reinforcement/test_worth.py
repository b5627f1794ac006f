"""Protects rewards: what is added up, and that a function of the user fails with words, not a traceback."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tasks.errors import TrainingError
from tasks.training.reinforcement.rollouts import Group
from tasks.training.reinforcement.worth import Prompt, Worth, nearness, read_functions
from tests.tasks.rows.made import default_asked

EXAMPLE = replace(default_asked("e", document="svm.SVC"))
PROMPT = Prompt(tokens=(1,), example=EXAMPLE)
TEXTS = {5: EXAMPLE.answer, 6: "The documentation does not say.", 7: "ten words " * 5}
GROUP = Group(prompt=(1,), responses=((5,), (6,), (7,)), ended=(True,) * 3, states=torch.zeros(0))
SHORT = """
def reward(question, answer, reference):
    return 1.0 if len(answer.split()) < 10 else 0.0
"""


def worth(**weights: float) -> Worth:
    return Worth(weights=weights, decode=lambda tokens: TEXTS[tokens[0]])


def functions(folder: Path, text: str) -> Worth:
    (folder / "own.py").write_text(text, encoding="utf-8")
    return replace(worth(own=1.0), functions=read_functions(folder, ["own"]))


def test_the_task_s_score_is_always_told_and_counts_by_its_weight() -> None:
    parts = worth(model=1.0).parts([PROMPT], [GROUP])
    assert parts["score"].tolist() == [1.0, 0.0, 0.0]
    parts["model"] = torch.tensor([0.5, 2.0, -1.0])
    assert worth(model=1.0).total(parts).tolist() == [0.5, 2.0, -1.0]
    assert worth(model=0.5, score=3.0).total(parts).tolist() == [3.25, 1.0, -0.5]
    assert worth(model=1.0).asks_model
    assert not worth(model=0.0, score=1.0).asks_model


def test_an_answer_as_long_as_the_good_one_is_worth_most_by_length() -> None:
    assert nearness("four", "good") == nearness("", "") == 0.0
    assert nearness("four", "ninechars") == pytest.approx(-math.log(2))
    assert nearness("ninechars", "four") == pytest.approx(-math.log(2))
    assert -math.inf < nearness("x" * 1000, "") < nearness("x" * 100, "") < 0.0
    told = worth(length=2.0)
    parts = told.parts([PROMPT], [GROUP])
    assert told.total(parts).tolist() == pytest.approx([2.0 * value for value in parts["length"].tolist()])
    assert parts["length"].tolist()[0] == 0.0


def test_a_function_of_the_user_counts_too(tmp_path: Path) -> None:
    found = functions(tmp_path, SHORT)
    parts = found.parts([PROMPT], [GROUP])
    assert found.total(parts).tolist() == [1.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def reward(question, answer, reference):\n    return 1 / 0\n", "failed on an answer to e: ZeroDiv"),
        ("def reward(question, answer):\n    return 1.0\n", "failed on an answer to e: TypeError"),
        ("def reward(question, answer, reference):\n    return [1.0]\n", r"returned \[1.0\]"),
        ("def reward(question, answer, reference):\n    return True\n", "returned True"),
        ("def reward(question, answer, reference):\n    return float('nan')\n", "returned nan"),
    ],
)
def test_a_function_that_fails_is_named_with_the_row(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(TrainingError, match=said):
        functions(tmp_path, text).parts([PROMPT], [GROUP])


def test_a_function_that_has_the_name_of_a_reward_of_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "length.py").write_text(SHORT, encoding="utf-8")
    with pytest.raises(TrainingError, match=r"length\.py has the name of a reward that there is"):
        read_functions(tmp_path, [])


def test_a_function_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"there is no .*brevity\.py; write it"):
        read_functions(tmp_path, ["brevity"])
    (tmp_path / "brevity.py").write_text("x = 1\n", encoding="utf-8")
    with pytest.raises(TrainingError, match="has no function reward"):
        read_functions(tmp_path, ["brevity"])
    (tmp_path / "brevity.py").write_text("def\n", encoding="utf-8")
    with pytest.raises(TrainingError, match=r"cannot be read: SyntaxError"):
        read_functions(tmp_path, ["brevity"])
