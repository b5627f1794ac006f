"""Protects the table of what retrieval finds: each row counts in all its parts, and in no other."""

from dataclasses import replace

from benchmarks.recall import recall
from deploy.messages import Message
from tests.tasks.rows.made import question


def test_each_part_has_its_own_share() -> None:
    first = question("a", task="default")
    second = replace(question("b", task="none"), held_out="validation")
    turns = (Message("user", "one?"), Message("assistant", "1"), *second.messages)
    third = replace(second, messages=turns)
    assert recall([first, second, third], [True, True, False]) == {
        "all": (0.6667, 3),
        "follow-ups": (0.0, 1),
        "kind default": (1.0, 1),
        "kind none": (0.5, 2),
        "like training": (1.0, 1),
        "validation": (0.5, 2),
    }
