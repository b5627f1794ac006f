"""Protects cleaning: what is dropped has a reason, what is clean stays as it is, every row is counted."""

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.messages import Message
from tasks.machine.settings import ParallelSettings
from tasks.prepare.clean import clean
from tasks.prepare.clean.steps import clean_rows
from tasks.prepare.clean_settings import CleanSettings
from tasks.rows.records import Dropped, Rows
from tasks.rows.reports import read_report, unbalanced
from tasks.rows.tables import read_rows, read_table, write_rows
from tests.tasks.prepare.cleaning import cleaning
from tests.tasks.rows.made import document, pair, question, rows

SETTINGS = cleaning(max_characters=60, near_duplicates=0.5)
FIRST = SETTINGS.model_copy(update={"conflicts": "first"})


def reasons(found: Rows, how: CleanSettings = SETTINGS) -> dict[str, str]:
    return {row.id: row.reason for row in clean_rows(found, how).dropped}


def test_each_filter_names_its_reason() -> None:
    found = rows(
        question("good", "Why is it?", "Because."),
        question("blank", "Why not?", " \n\u200b"),
        question("short", "Who?", "I"),
        question("number", "How many?", "7"),
        question("long", "What?", "x" * 80),
        question("twice", "why  is it?", "Because."),
        question("lost", "Where?", "There.", evidence=("nowhere",)),
        pairs=(
            pair("equal", "Yes.", "Yes. "),
            pair("one", "Yes.", "No."),
            pair("other", "No.", "Yes."),
        ),
        documents=(document("a", "Text."), document("b", "Text. "), document("c", " ")),
    )
    assert reasons(found) == {
        "blank": "empty",
        "short": "short",
        "long": "long",
        "twice": "duplicate",
        "lost": "missing_evidence",
        "equal": "equal_answers",
        "one": "conflict",
        "other": "conflict",
        "b": "duplicate",
        "c": "empty",
    }


def test_two_answers_to_one_question_are_a_conflict() -> None:
    found = rows(question("one", "Why?", "Because."), question("two", "Why?", "Chance."))
    assert reasons(found) == {"one": "conflict", "two": "conflict"}
    assert reasons(found, FIRST) == {"two": "conflict"}


def test_a_test_set_of_the_users_own_is_left_whole_beside_what_says_the_same_or_another_thing() -> None:
    found = rows(
        question("same", "Why?", "Because."),
        question("own", "Why?", "Because.", held_out="own questions"),
        question("other", "Who?", "She."),
        question("own too", "Who?", "He.", held_out="own questions"),
        question("own twice", "Who?", "He.", held_out="own questions"),
        pairs=(pair("one", "Yes.", "No."), pair("own one", "No.", "Yes.", held_out="own questions")),
    )
    assert reasons(found) == {"own twice": "duplicate"}  # `split` takes the others out


def test_a_withheld_question_may_have_another_answer() -> None:
    found = rows(
        question("known", "Why?", "Because."),
        question("withheld", "Why?", "The documentation does not say.", withheld=("a",), answerable=False),
        documents=(document("a", "Text."),),
    )
    assert reasons(found) == {}


def test_the_case_of_code_makes_a_difference() -> None:
    found = rows(question("low", "What is `m`?", "Mass."), question("high", "What is `M`?", "Matrix."))
    assert reasons(found) == {}


def test_evidence_follows_the_document_that_stays() -> None:
    found = rows(
        question("one", "Why?", "Because.", evidence=("b",)),
        documents=(document("a", "Text."), document("b", "Text.")),
    )
    assert [row.evidence for row in clean_rows(found, SETTINGS).rows.examples] == [("a",)]


def test_a_document_is_no_repetition_of_one_that_others_see() -> None:
    found = rows(
        question("one", "Why?", "Because.", evidence=("b",)),
        documents=(
            document("a", "Text."),
            document("b", "Text.", tags=("staff",)),
            document("c", "Text.", tags=("staff",)),
        ),
    )
    assert reasons(found) == {"c": "duplicate"}
    assert [row.evidence for row in clean_rows(found, SETTINGS).rows.examples] == [("b",)]


def test_an_id_that_is_taken_is_told() -> None:
    found = rows(question("one", "Why?", "Because."), question("one", "Who?", "Nobody."))
    assert reasons(found) == {"one": "duplicate_id"}


TEXTS = st.text(
    alphabet=st.one_of(
        st.sampled_from("ab .\n\t\u200b\u00e9\u0301\x07\x1b[0m\u00c3\u00a9\u2028"), st.characters()
    ),
    max_size=12,
)
PIECES = st.lists(
    st.sampled_from(
        [
            "<p>",
            "</p>",
            "<b>",
            "</b>",
            "<br>",
            "<!--",
            "-->",
            "&lt;",
            "&amp;",
            "p&gt;",
            "`",
            "\n\n    ",
            "\x07",
            "a@b.example",
            "020 7946 0123",
            "token: ",
            "Xk93jLq2Wm81kQw92Lm",
            "84.23.17.5",
            "://u:Ab3",
            " ",
            "(",
        ]
    ),
    max_size=8,
).map("".join)
TEXTS = TEXTS | PIECES
IDS = st.sampled_from(["1", "2", "3", "4", "5"])


@given(
    asked=st.lists(st.tuples(IDS, TEXTS, TEXTS, st.booleans()), max_size=6),
    judged=st.lists(st.tuples(IDS, TEXTS, TEXTS, TEXTS), max_size=6),
    written=st.lists(st.tuples(IDS, TEXTS), max_size=6),
    how=st.sampled_from([SETTINGS, FIRST]),
)
@settings(max_examples=150)
def test_cleaning_what_is_clean_changes_nothing(
    asked: list[tuple[str, str, str, bool]],
    judged: list[tuple[str, str, str, str]],
    written: list[tuple[str, str]],
    how: CleanSettings,
) -> None:
    found = rows(
        *(question(name, q, a, evidence=("1",) if known else ()) for name, q, a, known in asked),
        pairs=[pair(name, a, b, prompt=(Message("user", q),)) for name, q, a, b in judged],
        documents=[document(*row) for row in written],
    )
    once = clean_rows(found, how)
    twice = clean_rows(once.rows, how)
    assert twice.rows == once.rows
    assert twice.dropped == ()
    assert twice.repaired == Counter()


UNMEASURED = SETTINGS.model_copy(
    update={"steps": [step for step in SETTINGS.steps if step != "signals"]}
)  # what is not named is not done


@pytest.mark.parametrize("how", [SETTINGS, FIRST, UNMEASURED])
def test_the_stage_accounts_for_every_row(tmp_path: Path, how: CleanSettings) -> None:
    found = rows(
        question("one", "Why?", "Because."),
        question("two", "Why?", "Chance."),
        question("three", "Who?", "caf\u00c3\u00a9"),
        question("four", "Whom?", "anna@nordhafen.example"),
    )
    write_rows(tmp_path / "raw", found)
    clean(
        tmp_path / "raw",
        kept=tmp_path / "kept",
        dropped=tmp_path / "dropped.parquet",
        signals=tmp_path / "signals.parquet",
        report=tmp_path / "report.json",
        work=tmp_path / "work",
        settings=how,
        parallel=ParallelSettings(executor="local", workers=1),
    )
    report = read_report(tmp_path / "report.json")
    assert unbalanced(report.rows) == []
    assert report.figures["repaired"] == {"encoding": 1}
    assert report.figures["personal"] == {"email": 1}
    assert report.figures["languages"] == {"unknown": 2 * len(found.examples)}
    kept, dropped = read_rows(tmp_path / "kept"), read_table(tmp_path / "dropped.parquet", Dropped)
    assert len(kept.examples) + len(dropped) == len(found.examples)
    assert [row.answer for row in kept.examples[-2:]] == ["caf\u00e9", "[email]"]
    measured = pd.read_parquet(tmp_path / "signals.parquet")["id"].tolist()
    assert measured == ([] if how is UNMEASURED else [row.id for row in kept.examples])
    assert report.figures["signals"].keys() == ({"example"} if measured else set())


def test_two_answers_are_a_conflict_whatever_the_case_and_the_punctuation_of_the_question() -> None:
    found = rows(question("one", "Is it, then, so?", "Yes."), question("two", "is it then so", "No."))
    assert reasons(found) == {"one": "conflict", "two": "conflict"}
    same = rows(question("one", "Is it, then, so?", "Yes."), question("two", "is it then so", "yes"))
    assert reasons(same) == {}
    other = rows(question("one", "Is it `a`?", "Yes."), question("two", "Is it `a.`?", "No."))
    assert reasons(other) == {}
