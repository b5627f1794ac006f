"""Protects a test set from itself: a question with two answers is an error, one that stands twice is told."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from tasks.errors import SourceError
from tasks.prepare.collect.joining import doubts
from tasks.rows.records import Row, Rows
from tasks.rows.tables import write_rows
from tests.tasks.rows.made import document, question


def doubted(folder: Path, rows: Iterable[Row]) -> list[str]:
    write_rows(folder, Rows.of(rows))
    return doubts(folder)


def test_a_question_with_two_answers_is_an_error_that_names_the_rows(tmp_path: Path) -> None:
    rows = [
        question("a", "Why?", "Because.", held_out="own questions"),
        question("b", "why? ", "Chance.", held_out="own questions"),
    ]
    with pytest.raises(SourceError, match="with two answers: a and b; leave the right one"):
        doubted(tmp_path, rows)


def test_the_faults_of_a_large_set_are_counted(tmp_path: Path) -> None:
    rows = [question(f"{n} {part}", f"{n}?", part, held_out="own") for n in range(8) for part in "ab"]
    with pytest.raises(SourceError, match=r"4 a and 4 b, and 3 more; leave"):
        doubted(tmp_path, rows)


def test_a_question_that_stands_twice_is_told(tmp_path: Path) -> None:
    rows = [question(name, "Why?", "Because.", held_out="own questions") for name in "abc"]
    assert doubted(tmp_path, rows) == [
        "the held-out question of a and b and c stands there 3 times; clean keeps the first"
    ]


def test_a_question_that_has_lost_its_document_is_told(tmp_path: Path) -> None:
    rows = [
        question("a", "Why?", held_out="own questions", evidence=("here", "gone")),
        question("b", "Who?", evidence=("gone",)),
    ]
    told = doubted(tmp_path, [*rows, document("here")])
    assert told == ["the held-out question a names the document gone, which is not there; clean drops it"]


def test_other_rows_are_the_affair_of_clean(tmp_path: Path) -> None:
    rows = [
        question("a", "Why?", "Because.", held_out="own questions"),
        question("b", "Why?", "Chance."),
        question("c", "Why?", "Fate.", held_out="hard ones"),
        question("d", "Why?", "Luck.", held_out="unseen wording", source="packages"),
        question("e", "Why?", "None.", held_out="unseen wording", source="packages"),
    ]
    assert doubted(tmp_path, rows) == []
