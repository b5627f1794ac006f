"""Protects the test sets of the user's own: which rows are of one, and when its version is another."""

from dataclasses import replace

from tasks.rows.held_out import fingerprint, own_name, versions
from tests.tasks.rows.made import pair, question

ROW = question("a", "Why?", "Because.", held_out="own questions")


def test_what_a_file_holds_out_is_of_the_user() -> None:
    assert own_name(ROW) == "own questions"
    assert own_name(pair("p", held_out="taste")) == "taste"
    assert own_name(replace(ROW, source="packages")) == ""
    assert own_name(replace(ROW, held_out="validation")) == ""
    assert own_name(replace(ROW, held_out="")) == ""


def test_the_version_follows_questions_and_answers_alone() -> None:
    other = question("b", "Who?", "She.")
    version = fingerprint([ROW, other])
    assert len(version) == 12
    assert fingerprint([replace(other, id="c", evidence=("d",)), ROW]) == version
    assert fingerprint([ROW]) != version
    assert fingerprint([ROW, question("b", "Who?", "He.")]) != version
    assert fingerprint([ROW, question("b", "Who ?", "She.")]) != version


def test_each_name_has_its_own_version() -> None:
    rows = [ROW, question("b", "Who?", held_out="unseen"), question("c", "When?", held_out="unseen")]
    found = versions([*rows, question("d", "Not held out?")])
    assert {name: part["questions"] for name, part in found.items()} == {"own questions": 1, "unseen": 2}
    assert found["own questions"]["version"] == fingerprint([ROW])
