"""Protects training from answers that say the question again."""

from deploy.messages import Message
from tasks.prepare.clean.echoes import echo
from tests.tasks.prepare.cleaning import cleaning
from tests.tasks.rows.made import document, pair, question

SETTINGS = cleaning()
ASKED = "What is the default of C?"


def test_the_question_again_is_no_answer_however_often_it_is_said() -> None:
    once, twice = (
        echo(question("a", ASKED, text), SETTINGS)
        for text in ("what is the default of c", f"{ASKED} {ASKED}")
    )
    assert once is not None
    assert twice is not None
    assert (once.name, twice.detail) == ("echo", "2 times")
    assert echo(pair("a", ASKED, "No.", prompt=(Message("user", ASKED),)), SETTINGS)


def test_an_answer_with_words_of_its_own_stays() -> None:
    for text in (f"{ASKED} It is 1.0.", "The default of C is what is asked?", "1.0"):
        assert echo(question("a", ASKED, text), SETTINGS) is None


def test_a_greeting_may_be_returned() -> None:
    assert echo(question("a", "Good morning!", "Good morning."), SETTINGS) is None


def test_a_rejected_echo_and_a_document_stay() -> None:
    assert echo(pair("a", "1.0", ASKED, prompt=(Message("user", ASKED),)), SETTINGS) is None
    assert echo(document("a", ASKED), SETTINGS) is None
