"""Protects which questions are asked: fair to each subset, the same for all arms, and accounted for."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.abstention import ABSTENTION
from tasks.evaluation.questions import askable, counted, draw_questions, equal_parts, majority
from tasks.rows.records import Example
from tasks.rows.reports import unbalanced
from tests.deploy.engines.scripted import ScriptedEngine
from tests.tasks.evaluation.test_arms import QUESTIONS, assistant, example


def test_the_draw_keeps_the_shares_and_does_not_depend_on_the_order_of_the_rows() -> None:
    rows = [example(n) for n in range(60)] + [example(n, answerable=False) for n in range(60, 90)]
    drawn = draw_questions(rows, 30, seed=7)
    assert sum(not row.answerable for row in drawn) == 10
    assert drawn == draw_questions(rows[::-1], 30, seed=7)
    assert drawn != draw_questions(rows, 30, seed=8)
    assert len(draw_questions(rows, 500, seed=7)) == 90


def test_questions_that_do_not_fit_are_left_out_of_every_arm_and_counted() -> None:
    said = assistant(ScriptedEngine({}))
    asked = askable(QUESTIONS, said, lambda messages: 50 if "p3" in messages[-1].content else 10, limit=20)
    assert [row.id for row in asked.questions] == ["q0", "q1", "q2", "q4", "q5"]
    assert len(asked.lengths) == 5
    counts = counted(test=9, drawn=6, asked=5)
    assert unbalanced(counts) == []
    assert {count.reason: count.count for count in counts if count.outcome == "unused"} == {
        "over evaluate.questions": 3,
        "longer than the model's context": 1,
    }


def test_the_majority_answer_is_chosen_on_the_training_split() -> None:
    train = [example(7)] * 5 + [example(4, answerable=False)] * 2
    text, score = majority(train, QUESTIONS)
    assert text == "`7`"
    assert score == 0.0  # no test question has this answer
    assert majority([], QUESTIONS) == (ABSTENTION, pytest.approx(2 / 6))


def held_out(sizes: dict[str, int], *, source: str) -> list[Example]:
    """As many examples as `sizes` says under each name, a third of them unanswerable."""
    names = [name for name, count in sizes.items() for _ in range(count)]
    rows = (example(n, answerable=n % 3 > 0) for n in range(len(names)))
    return [
        replace(row, id=f"{source}-{row.id}", source=source, held_out=name)
        for row, name in zip(rows, names, strict=True)
    ]


SPLIT = held_out({"": 300, "unseen wording": 60, "unseen package": 9}, source="packages")


def test_each_name_that_rows_of_the_sources_are_held_out_for_has_an_equal_part_of_the_draw() -> None:
    drawn = draw_questions(SPLIT, 89, seed=7)
    assert Counter(row.held_out for row in drawn) == {"": 40, "unseen wording": 40, "unseen package": 9}
    assert drawn == draw_questions(SPLIT[::-1], 89, seed=7)
    assert [row.id for row in drawn] == sorted(row.id for row in drawn)
    unanswerable = Counter(row.held_out for row in drawn if not row.answerable)
    assert unanswerable == {"": 13, "unseen wording": 13, "unseen package": 3}


@pytest.mark.parametrize("count", [1, 89])
def test_test_sets_of_the_users_own_are_asked_whole_and_take_nothing_from_the_others(count: int) -> None:
    own = held_out({"own questions": 120, "night shift": 3}, source="sources/test.jsonl")
    drawn = draw_questions([*SPLIT, *own], count, seed=7)
    assert [row for row in drawn if row.source != "packages"] == sorted(own, key=lambda row: row.id)
    assert [row for row in drawn if row.source == "packages"] == draw_questions(SPLIT, count, seed=7)
    assert drawn == draw_questions([*own[::-1], *SPLIT], count, seed=7)


@given(
    sizes=st.dictionaries(st.text(max_size=3), st.integers(1, 50), min_size=1, max_size=6),
    count=st.integers(0, 400),
)
def test_no_part_is_larger_than_another_that_has_rows_left(sizes: dict[str, int], count: int) -> None:
    parts = equal_parts(sizes, count)
    assert sum(parts.values()) == min(count, sum(sizes.values()))
    assert all(0 <= parts[name] <= size for name, size in sizes.items())
    not_used_up = [parts[name] for name in sizes if parts[name] < sizes[name]]
    assert not not_used_up or max(parts.values()) - min(not_used_up) <= 1
