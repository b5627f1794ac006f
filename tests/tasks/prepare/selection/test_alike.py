"""Protects semantic duplicates: other wordings go, and nothing that asks or answers otherwise."""

from dataclasses import replace

import numpy as np
import pytest

from tasks.prepare.selection.alike import semantic_duplicates
from tasks.rows.records import Example
from tests.tasks.rows.made import question

ANSWER = "Under Settings, in the menu Account."


def near(rows: list[Example], angles: list[float], cosine: float = 0.9) -> list[tuple[str, str, float]]:
    """The ids of the rows that go and of those that they repeat, for questions at these angles."""
    vectors = np.array([[np.cos(angle), np.sin(angle)] for angle in angles], dtype=np.float32)
    found = semantic_duplicates(rows, vectors, near=cosine)
    return [(rows[each.place].id, rows[each.of].id, each.nearness) for each in found]


def asked(name: str, text: str = "Where is it?", answer: str = ANSWER) -> Example:
    return question(name, text, answer)


def test_of_several_wordings_the_first_stays_and_stands_for_the_others() -> None:
    rows = [
        asked("a"),
        asked("b", "In which menu?"),
        asked("c", "How do I get there?"),
        asked("d", "And this?"),
    ]
    assert near(rows, [0.0, 0.1, 0.2, 1.2]) == [("b", "a", 0.995), ("c", "a", 0.9801)]
    # The third is near to the second alone, which goes itself: it stays.
    assert near(rows[:3], [0.0, 0.4, 0.8]) == [("b", "a", 0.9211)]


@pytest.mark.parametrize(
    "other",
    [
        asked("b", "Where is it not?"),
        asked("b", "Where is number 7?"),
        asked("b", "Where is it in Paris?"),
        asked("b", answer="Nowhere."),
        replace(asked("b"), evidence=("d",)),
        replace(asked("b"), task="another"),
        replace(asked("b"), answerable=False),
    ],
)
def test_what_asks_or_answers_otherwise_stays(other: Example) -> None:
    assert near([asked("a"), other], [0.0, 0.01]) == []


def test_an_answer_that_unlike_questions_have_makes_none_of_them_one() -> None:
    rows = [asked("a"), asked("b", "In which menu?"), asked("c", "Is it warm?")]
    assert near(rows, [0.0, 0.1, 1.5]) == []
    assert near(rows[:2], [0.0, 0.1]) == [("b", "a", 0.995)]


def test_many_are_searched_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.prepare.selection.alike._BLOCK", 3)
    rows = [asked(str(n)) for n in range(8)]
    assert near(rows, [0.0] * 8) == [(str(n), "0", 1.0) for n in range(1, 8)]
