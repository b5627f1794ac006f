"""Protects near duplicates: what says nothing new goes, what may be another question or fact stays."""

from dataclasses import replace
from typing import Any

import pytest

from deploy.messages import Message
from tasks.prepare.clean.near_duplicates import drop_near_duplicates
from tasks.prepare.clean.steps import clean_rows
from tasks.rows.records import Document, Example, Rows
from tests.tasks.prepare.clean.test_clean import SETTINGS
from tests.tasks.prepare.cleaning import cleaning
from tests.tasks.rows.made import document, pair, question, rows

HOW = cleaning(max_characters=10000, steps=[step for step in SETTINGS.steps if step != "repetition"])
ASKED = "How long may somebody who is new in town keep a borrowed book at home before it has to go back?"
NEAR = "How long may somebody who is new in town keep a borrowed book at home until it has to go back?"
ANSWER = "Two weeks, and two more where nobody else asks for it."
FIRST = question("first", ASKED, ANSWER)


def near(name: str, **changed: Any) -> Example:
    """A row that is nearly FIRST, but for what is changed."""
    asked, answer = changed.pop("asked", NEAR), changed.pop("answer", ANSWER)
    return question(name, asked, answer, **changed)


def dropped(found: Rows) -> dict[str, str]:
    """What goes, with the row that stands for it."""
    verdict = drop_near_duplicates(found, HOW)
    assert {row.reason for row in verdict.dropped} <= {"near_duplicate"}
    return {row.id: row.detail for row in verdict.dropped}


def test_the_first_row_stays_and_stands_for_those_that_say_nearly_the_same() -> None:
    last = near("last", asked=NEAR.replace("goes back", "return"))
    found = rows(FIRST, near("other"), last)
    assert {name: told.split(",")[0] for name, told in dropped(found).items()} == {
        "other": "of first",
        "last": "of first",
    }
    assert dropped(found)["other"].startswith("of first, nearness 0.")


@pytest.mark.parametrize(
    "other",
    [
        near("b", answer="One week."),
        near("b", answer=f"{ANSWER} No."),
        near("b", asked=NEAR.replace("a borrowed book", "2 borrowed books")),
        near("b", asked=NEAR.replace("town", "Rome")),
        near("b", asked=NEAR.replace("may", "may not")),
        near("b", task="other"),
        near("b", quote="Two weeks"),
        near("b", evidence=("d",)),
        near("b", withheld=("d",)),
        near("b", answerable=False),
        near("b", held_out="validation"),
        near("b", held_out="own questions"),
        replace(near("b"), messages=(Message("system", "Be brief."), *near("b").messages)),
    ],
)
def test_what_differs_in_more_than_wording_stays(other: Example) -> None:
    found = rows(FIRST, other, documents=[document("d", "Other pages say other things.")])
    assert dropped(found) == {}


def test_an_answer_that_other_questions_have_as_well_proves_nothing() -> None:
    found = [replace(row, messages=(*row.prompt, Message("assistant", "Yes."))) for row in (FIRST, near("b"))]
    assert set(dropped(rows(*found))) == {"b"}
    assert dropped(rows(*found, question("c", "Is the library open on Sundays as well?", "Yes."))) == {}


def test_an_instruction_that_all_rows_share_makes_none_of_them_near() -> None:
    frame = " ".join(f"instruction{n} word" for n in range(100))
    things = ("plain", "bitter", "lovely", "boring", "long", "loud", "clever", "pretty", "dull", "weak")
    said = [f"{frame} the film was {one} and also rather {other}" for one in things for other in things]
    assert dropped(rows(*(question(str(n), text, "positive") for n, text in enumerate(said)))) == {}


LONG = " ".join(f"It is said that matter {chr(97 + n)} is quite in order." for n in range(8))


@pytest.mark.parametrize(
    ("answer", "goes"),
    [
        (LONG.replace("quite", "rather", 2), True),
        (LONG.replace("is said", "is not said", 1), False),
        (LONG.replace("is said", "is not said", 1).replace("quite", "rather", 5), True),
        (LONG.replace("matter c", "matter 3"), False),
        (LONG.replace("matter c", "`other` c"), False),
        (LONG.replace("quite in order", "wrong"), False),
    ],
)
def test_in_a_long_answer_words_may_differ_and_nothing_else(answer: str, goes: bool) -> None:
    found = rows(
        replace(FIRST, messages=(*FIRST.prompt, Message("assistant", LONG))), near("b", answer=answer)
    )
    assert bool(dropped(found)) is goes
    asked_too = question("c", "Is the library open on Sundays as well?", LONG.replace("quite", "very", 1))
    assert dropped(rows(*found.examples, asked_too)) == {}


def test_preferences_need_both_answers() -> None:
    def judged(name: str, asked: str, rejected: str) -> Any:
        return pair(name, ANSWER, rejected, prompt=(Message("user", asked),))

    found = rows(pairs=[judged("a", ASKED, "No."), judged("b", NEAR, "No."), judged("c", NEAR, "Never.")])
    assert set(dropped(found)) == {"b"}


PAGE = " ".join(f"Some thing is said about matter {chr(97 + n)} of the house." for n in range(20))
LESS = PAGE.replace("Some thing", "Thing", 3)


def test_a_document_goes_where_it_says_nothing_more_and_its_questions_rest_on_the_other() -> None:
    found = rows(
        question("q", ASKED, ANSWER, evidence=("less",), quote="matter c of the house"),
        documents=[document("page", PAGE), document("less", LESS)],
    )
    verdict = drop_near_duplicates(found, HOW)
    assert [(row.id, row.kind) for row in verdict.dropped] == [("less", "document")]
    assert verdict.rows.examples[0].evidence == ("page",)
    assert clean_rows(verdict.rows, HOW).dropped == ()


@pytest.mark.parametrize(
    ("later", "row"),
    [
        (document("b", f"{LESS} And a new fact."), FIRST),
        (document("b", LESS.replace("matter c", "matter 7")), FIRST),
        (document("b", LESS.replace("is said", "is not said", 1)), FIRST),
        (document("b", LESS, title="Another page"), FIRST),
        (document("b", LESS, metadata={"version": "2"}), FIRST),
        (document("b", LESS, tags=("staff",)), FIRST),
        (document("b", LESS), replace(FIRST, evidence=("b",), quote="Thing is said")),
        (document("b", LESS), replace(FIRST, withheld=("b",))),
    ],
)
def test_a_document_with_anything_of_its_own_stays(later: Document, row: Example) -> None:
    assert dropped(rows(row, documents=[document("a", PAGE), later])) == {}


def test_without_a_share_nothing_goes() -> None:
    none = HOW.model_copy(update={"near_duplicates": None})
    found = rows(FIRST, near("b"))
    assert drop_near_duplicates(found, none).rows == found


def test_what_stays_stays_when_it_is_cleaned_again() -> None:
    # The middle one is near to both others, which are not near to each other.
    words = ASKED.split()
    far = " ".join(
        ["Nowadays", "then,", "tell", "me", *words[4:-5], "people", "bring", "that", "thing", "along"]
    )
    found = rows(
        FIRST, near("middle", asked=" ".join([*words[:-5], *far.split()[-5:]])), near("far", asked=far)
    )
    once = clean_rows(found, HOW)
    assert [row.id for row in once.dropped] == ["middle"]
    assert clean_rows(once.rows, HOW).dropped == ()
