"""Protects what makes two rows near: their words, and that nothing in what they ask tells them apart."""

from dataclasses import replace

import pytest

from deploy.messages import Message
from tasks.prepare.similar.pairs import near_pairs
from tasks.prepare.similar.rows import near_rows
from tasks.rows.records import Example
from tests.tasks.rows.made import pair, question

ASKED = "How long may somebody who is new in town keep a borrowed book at home before it has to go back?"
NEAR = "How long may somebody who is new in town keep a borrowed book at home until it has to go back?"
ROW = question("a", ASKED, "Two weeks.")


def near(*rows: Example) -> int:
    return len(near_rows(rows, near=0.5))


def test_a_word_that_is_another_is_near() -> None:
    (found,) = near_rows([ROW, question("b", NEAR, "Two weeks.")], near=0.5)
    assert (found.earlier, found.later) == (0, 1)
    assert 0.5 < found.nearness < 1.0


def test_the_prompt_alone_is_enough() -> None:
    answer = " ".join(f"word{n}" for n in range(80))
    assert near(ROW, question("b", NEAR, answer)) == 1


@pytest.mark.parametrize(
    "other",
    [
        question("b", NEAR.replace("a borrowed", "no borrowed"), "Two weeks."),
        question("b", NEAR.replace("town", "Rome"), "Two weeks."),
        question("b", NEAR, "Two weeks.", evidence=("d",)),
        question("b", NEAR, "Two weeks.", withheld=("d",)),
        question("b", "What does it cost to become a member of the library?", "Two weeks."),
    ],
)
def test_what_asks_another_thing_is_not(other: Example) -> None:
    assert near(ROW, other) == 0


def test_a_short_row_of_which_a_fifth_is_another_is_near_although_few_words_in_a_row_are_left() -> None:
    command = "How do I list the open tabs of this window with chromium?"
    edited = "How do I list all open tabs of a window with chromium?"
    assert near_pairs([command, edited], near=0.5) == []
    assert near(question("a", command, "chromium --list"), question("b", edited, "chromium --list")) == 1
    other = edited.replace("list", "close").replace("tabs", "files")
    assert near(question("a", command, "chromium --list"), question("b", other, "rm --recursive")) == 0


def test_short_questions_are_not() -> None:
    assert near(question("a", "How are you?", "I am well, thank you."), question("b", "How is he?")) == 0
    assert near(question("a", "Are you well?"), question("b", "are you well")) == 0


def test_neither_the_system_turn_nor_a_long_talk_before_makes_two_questions_near() -> None:
    system = Message("system", " ".join(f"rule{n}" for n in range(60)))
    talk = (Message("user", " ".join(f"said{n}" for n in range(60))), Message("assistant", "I see."))

    def asked(name: str, last: str, *before: Message) -> Example:
        turns = (*before, Message("user", last), Message("assistant", "Yes."))
        return replace(question(name), messages=turns)

    lasts = (
        "Is the library open on the day after Christmas?",
        "Do children have to pay when they lose a card?",
    )
    for before in ((system,), talk):
        assert near(*(asked(str(n), last, *before) for n, last in enumerate(lasts))) == 0
    assert near(asked("a", ASKED, *talk), asked("b", NEAR, *talk)) == 1


def test_an_example_and_a_preference_may_be_near() -> None:
    prompt = (Message("user", NEAR),)
    assert len(near_rows([ROW, pair("p", "Two weeks.", "Three.", prompt=prompt)], near=0.5)) == 1
