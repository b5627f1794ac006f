"""Protects what a follow-up searches with: the document spoken of stays, a name that it replaces goes."""

import pytest

from deploy.knowledge.follow_ups import still_asked
from deploy.knowledge.lexical import LexicalIndex

TITLES = ["lib.RandomForest", "lib.copy", "lib.fft2", "Holidays"]
TEXTS = [
    "C : float\nThe price.\ntol : float\nIts default is small.\nmax_iter : int",
    "copy : bool\nWhether to copy.\norder : str\nThe order.",
    "norm : str\nThe default norm.\naxes : tuple",
    "Thirty days a year, by default.",
]


@pytest.fixture(scope="module")
def index() -> LexicalIndex:
    return LexicalIndex.build(TEXTS, TITLES)


@pytest.mark.parametrize(
    ("said", "asked", "kept"),
    [
        ("What is C of RandomForest?\n`1.0`", "And tol?", "what is of randomforest 1 0"),
        ("What is C of random forest?", "and `max_iter`", "what is of random forest"),
        ("What is tol of lib.RandomForest", "and C", "what is of lib.randomforest"),
        # `copy` is a parameter there, and the function itself here.
        ("order of copy in lib.copy", "and norm?", "of in lib.copy"),
        ("order of copy", "and norm?", "of copy"),
    ],
)
def test_a_name_of_its_own_takes_the_place_of_what_was_named(
    index: LexicalIndex, said: str, asked: str, kept: str
) -> None:
    assert still_asked(said, asked, index).split() == kept.replace("1 0", "1.0").split()


@pytest.mark.parametrize("asked", ["And its default?", "what does it do", "and by how many days?", ""])
def test_a_follow_up_without_a_name_asks_about_all_that_was_said(index: LexicalIndex, asked: str) -> None:
    said = "What is `C` of RandomForest?\n`1.0` [1]"
    assert still_asked(said, asked, index) == said


def test_nothing_said_before_and_an_empty_index_leave_things_as_they_are(index: LexicalIndex) -> None:
    assert still_asked("", "What is tol?", index) == ""
    assert still_asked("C of SVC", "and tol?", LexicalIndex.build([], [])) == "C of SVC"
