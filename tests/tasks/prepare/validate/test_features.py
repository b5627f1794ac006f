"""Protects what is compared from run to run: cells that mean something, without any text of the rows."""

import pytest

from tasks.prepare.validate.features import (
    ANSWER_BUCKETS,
    FEATURES,
    WORD_BUCKETS,
    length,
    whole,
    words,
    writing,
)
from tests.tasks.rows.made import document, pair, question


@pytest.mark.parametrize(
    ("characters", "cell"),
    [(0, "0"), (1, "1"), (2, "2"), (3, "3"), (4, "4"), (5, "4"), (6, "6"), (8, "8"), (63, "46"), (64, "64")],
)
def test_a_length_falls_into_the_half_octave_that_begins_below_it(characters: int, cell: str) -> None:
    assert length("x" * characters) == {cell: 1.0}


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("What is it?", "latin"),
        ("Café au lait", "latin"),
        ("Что это? ok", "cyrillic"),
        ("これは何ですか", "hiragana"),
        ("这是什么", "cjk"),
        ("12 + 3 = \u2713", "none"),
        ("42", "none"),
        ("", "none"),
    ],
)
def test_the_script_is_that_of_most_letters(text: str, script: str) -> None:
    assert writing(text) == {script: 1.0}


@pytest.mark.parametrize("text", ["one two, three", "ONE two three two", "它是什么", "x" * 5000])
def test_each_text_counts_as_one_row_in_numbered_buckets(text: str) -> None:
    cells = words(text)
    assert sum(cells.values()) == pytest.approx(1.0)
    assert all(0 <= int(bucket) < WORD_BUCKETS for bucket in cells)


def test_words_count_whatever_their_case_and_their_order() -> None:
    assert words("One, two three") == words("three TWO one")
    assert words("One, two three") != words("One, two four")
    assert len(words("它是什么")) == 4
    assert words(" ?! ") == {"none": 1.0}


def test_an_answer_counts_as_a_whole() -> None:
    assert whole("`None` ") == whole("`none`") != whole("`True`")
    assert all(0 <= int(bucket) < ANSWER_BUCKETS for bucket in whole("\ud800"))


def test_rows_of_any_kind_and_without_any_turn_have_cells() -> None:
    made = {
        "example": [question("q"), question("none", messages=())],
        "preference": [pair("p"), pair("none", prompt=())],
        "document": [document("d"), document("none", text="")],
    }
    for kind, features in FEATURES.items():
        for row in made[kind]:
            for feature in features.values():
                assert sum(feature(row).values()) == pytest.approx(1.0)
