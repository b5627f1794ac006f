"""Protects the choice of prompts: who is left out and why, and that no task is taught abstaining alone."""

from dataclasses import replace
from pathlib import Path

from deploy.engines.chat import load_tokenizer
from tasks.training.reinforcement.prompts import MISSED, UNCHECKED, choose_prompts
from tests.deploy.knowledge.listed import reader
from tests.tasks.rows.made import ASKED, default_asked

EXAMPLES = [
    default_asked("found", document="svm.SVC"),
    default_asked("missed", ASKED + " tol", document="elsewhere"),
    replace(default_asked("free", ASKED + " max", document="svm.SVC"), task="purpose"),
    default_asked("absent", ASKED + " gamma", document=None),
]


def chosen(base: Path, *, checked: bool) -> tuple[dict[str, set[str]], dict[str, int]]:
    parts = choose_prompts(
        EXAMPLES,
        9,
        reader(),
        load_tokenizer(base),
        longest=600,
        seed=1,
        withheld={"default": 1.0, "purpose": 1.0},
        checked=checked,
    )
    return {part.kind: {row.example.id for row in part.rows} for part in parts}, dict(parts[0].dropped)


def test_twins_are_those_of_prompts_that_are_asked(tiny_base: Path) -> None:
    asked, dropped = chosen(tiny_base, checked=True)
    assert asked == {"example": {"found", "absent"}, "counterfactual": {"found-without"}}
    assert (dropped[UNCHECKED], dropped[MISSED]) == (1, 1)


def test_what_no_rule_checks_is_asked_where_something_else_judges(tiny_base: Path) -> None:
    asked, dropped = chosen(tiny_base, checked=False)
    assert asked["example"] == {"found", "free", "absent"}
    assert asked["counterfactual"] == {"found-without", "free-without"}
    assert dropped[UNCHECKED] == 0
