"""Protects training from answers that were never written, and short answers from being taken for such."""

import pytest

from deploy.messages import Message
from tasks.prepare.clean.placeholders import placeholder
from tests.tasks.prepare.cleaning import cleaning
from tests.tasks.rows.made import document, pair, question

SETTINGS = cleaning()
EMPTY = [
    "TODO",
    "todo.",
    "N/A",
    "tbd",
    "- TBA -",
    "...",
    "--",
    "\u2026",
    "_ _ _",
    "???",
    "[your answer here]",
    "<answer>",
]
EMPTY += [
    "{{response}}",
    "Insert text here".join("[]"),
    "OK",
    "(placeholder)",
    "Lorem ipsum dolor sit amet, consectetur.",
]
WRITTEN = [
    "Yes.",
    "no",
    "7",
    "3.14",
    "`--`",
    "`...`",
    "==",
    "**",
    "?",
    ".",
    "None",
    "NaN",
    "null",
    "0",
    "[]",
    "{}",
    "\u00e7a va",
]
WRITTEN += [
    "Use `TODO` comments.",
    "[x, y]",
    "<br>",
    "(a)",
    "todo list",
    "The answer is 4.",
    "\tx = 1",
    "sd 'lorem ipsum' ''",
]


@pytest.mark.parametrize("text", EMPTY)
def test_what_stands_for_a_text_is_dropped_wherever_it_stands(text: str) -> None:
    assert placeholder(question("a", "Why is it?", text), SETTINGS)
    assert placeholder(document("a", text), SETTINGS)
    assert placeholder(pair("a", text, "No."), SETTINGS)


@pytest.mark.parametrize("text", WRITTEN)
def test_a_short_answer_stays(text: str) -> None:
    assert placeholder(question("a", "Why is it?", text), SETTINGS) is None


def test_a_question_that_was_never_written_is_dropped_unless_more_was_asked() -> None:
    assert placeholder(question("a", "n/a", "It is 4."), SETTINGS)
    turns = (
        Message("user", "Why?"),
        Message("assistant", "So."),
        Message("user", "ok"),
        Message("assistant", "Good."),
    )
    assert placeholder(question("a", messages=turns), SETTINGS) is None


def test_a_rejected_answer_may_be_as_bad_as_it_likes() -> None:
    assert placeholder(pair("a", "Because.", "TODO"), SETTINGS) is None


def test_who_asks_for_blind_text_gets_it() -> None:
    assert placeholder(question("a", "Write a line of lorem ipsum.", "Lorem ipsum dolor."), SETTINGS) is None


def test_words_come_from_the_settings() -> None:
    fewer = SETTINGS.model_copy(update={"placeholders": ["later"]})
    assert placeholder(question("a", "Why is it?", "Later!"), fewer)
    assert placeholder(question("a", "Why is it?", "TODO"), fewer) is None


def test_a_long_gap_behind_a_bracket_is_looked_at_once() -> None:
    text = f"( {' ' * 20_000}x)"
    assert placeholder(question("a", "Which?", text), SETTINGS) is None
