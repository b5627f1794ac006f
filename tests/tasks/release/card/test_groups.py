"""Protects what is told of groups: shares, lengths, wins and scores of the right rows, none of too few."""

from dataclasses import replace
from typing import Any

from tasks.evaluation.answers import AnsweredQuestion, ArmAnswer
from tasks.release.card.groups import UNTOLD, Groups
from tasks.rows.records import Example, Preference
from tests.tasks.rows.made import pair, question


def told(
    examples: list[Example], pairs: list[Preference] | None = None, answers: Any = (), smallest: int = 2
) -> Any:
    groups = Groups("region", answers, smallest=smallest)
    for place in range(0, len(examples), 3):  # by shards, as the stage does
        groups.add("test", examples[place : place + 3])
    groups.add("train", pairs or [])
    return groups.figures()


def of(group: str, number: int, answer: str = "One two.") -> Example:
    return question(f"{group}{number}", answer=answer, metadata={"region": group} if group else {})


def test_shares_and_lengths_are_those_of_the_group() -> None:
    rows = [*(of("a", n, "one two three") for n in range(6)), *(of("b", n, "one") for n in range(2))]
    found = {each["group"]: each for each in told(rows)["examples"]}
    assert (found["a"]["rows"], found["a"]["share"], found["a"]["answer_words"]) == (6, 0.75, 3.0)
    assert (found["b"]["rows"], found["b"]["share"], found["b"]["answer_words"]) == (2, 0.25, 1.0)


def test_rows_without_the_column_are_a_group_beside_others_and_none_by_themselves() -> None:
    assert [each["group"] for each in told([of("a", 1), of("", 2), of("", 3)])["examples"]] == [UNTOLD, "a"]
    assert told([of("", 2), of("", 3)])["examples"] == []


def test_wins_count_against_other_groups_alone() -> None:
    def judged(name: str, better: str, worse: str) -> Preference:
        both = {"chosen_region": better, "rejected_region": worse}
        return replace(pair(name), metadata={key: value for key, value in both.items() if value})

    pairs = [judged(f"{n}", "a", "b") for n in range(3)]
    pairs += [judged("4", "b", "a"), judged("5", "a", "a"), judged("6", "a", "")]
    found = {each["group"]: each for each in told([], pairs)["wins"]}
    assert (found["a"]["rows"], found["a"]["wins"]["mean"]) == (4, 0.75)
    assert (found["b"]["rows"], found["b"]["wins"]["mean"]) == (4, 0.25)
    assert found["a"]["wins"]["low"] < 0.75 < found["a"]["wins"]["high"]


def test_scores_are_of_the_questions_that_were_asked() -> None:
    rows = [*(of("a", n) for n in range(3)), of("b", 1)]
    answers = [
        AnsweredQuestion(
            id=row.id,
            task="chat",
            answerable=True,
            question="",
            gold="",
            arms={"sft": ArmAnswer(text="", score=score, abstained=False, citations=(), sources=())},
        )
        for row, score in zip(rows[1:], (1.0, 0.5, 1.0), strict=True)
    ]
    found = {each["group"]: each for each in told(rows, answers=answers)["scores"]}
    assert (found["a"]["rows"], found["a"]["arms"]["sft"]["mean"]) == (2, 0.75)
    assert found["b"]["arms"]["sft"] is None  # one question is too few
