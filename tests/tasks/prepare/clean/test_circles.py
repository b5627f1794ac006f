"""Protects reward models from opinions that no order of the answers agrees with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.messages import Message
from tasks.prepare.clean.conflicts import drop_conflicts
from tasks.prepare.clean.verdict import Verdict
from tasks.rows.records import Preference, Rows
from tests.tasks.prepare.cleaning import cleaning
from tests.tasks.rows.made import pair


def opinion(better: str, worse: str, asked: str = "Which one?") -> Preference:
    prompt = (Message("user", asked),)
    return pair(f"{asked} {better}>{worse}", prompt=prompt, chosen=better, rejected=worse)


def judged(*opinions: Preference, conflicts: str = "drop") -> Verdict:
    return drop_conflicts(Rows.of(opinions), cleaning(conflicts=conflicts))


def names(verdict: Verdict) -> list[str]:
    return [row.id.rpartition(" ")[2] for row in verdict.rows.preferences]


CIRCLE = [opinion("A", "B"), opinion("B", "C"), opinion("C", "A"), opinion("C", "D"), opinion("D", "E")]


def test_a_circle_goes_and_says_with_what_and_what_hangs_on_it_stays() -> None:
    found = judged(*CIRCLE)
    assert names(found) == ["C>D", "D>E"]
    assert [(row.id, row.reason, row.detail) for row in found.dropped] == [
        ("Which one? A>B", "conflict", "in a circle with Which one? B>C, Which one? C>A"),
        ("Which one? B>C", "conflict", "in a circle with Which one? A>B, Which one? C>A"),
        ("Which one? C>A", "conflict", "in a circle with Which one? A>B, Which one? B>C"),
    ]


def test_with_first_only_what_closes_a_circle_goes() -> None:
    found = judged(*CIRCLE, conflicts="first")
    assert names(found) == ["A>B", "B>C", "C>D", "D>E"]


def test_the_same_answers_to_another_question_make_no_circle() -> None:
    assert not judged(opinion("A", "B"), opinion("B", "C"), opinion("C", "A", "And there?")).dropped


def test_an_answer_beside_itself_is_no_circle() -> None:
    assert not judged(opinion("A", "A")).dropped


@pytest.mark.parametrize("conflicts", ["drop", "first"])
@given(
    edges=st.lists(st.tuples(st.sampled_from("ABCDEF"), st.sampled_from("ABCDEF")), max_size=14, unique=True)
)
def test_what_stays_has_an_order(conflicts: str, edges: list[tuple[str, str]]) -> None:
    left = names(judged(*(opinion(a, b) for a, b in edges if a != b), conflicts=conflicts))
    below = {(each[0], each[2]) for each in left}
    for _ in range(6):
        below |= {(a, d) for a, b in below for c, d in below if b == c}
    assert all(a != b for a, b in below)
