"""Protects the measure of the detector: what readers labelled, counted arm by arm."""

import json

import pytest

from benchmarks.abstention import __main__ as command
from benchmarks.abstention.labelled import Labelled, agreement, drawn, read_labelled
from deploy.abstention import abstains
from tasks.evaluation.answers import AnsweredQuestion, ArmAnswer


def labelled(answer: str, *, is_one: bool) -> Labelled:
    return Labelled(arm="sft", question="?", answer=answer, abstains=is_one)


def test_finds_and_misses_are_counted() -> None:
    rows = [labelled("a", is_one=True), labelled("b", is_one=True), labelled("c", is_one=False)]
    found = agreement(rows, lambda text: text in "ac")
    assert (found.n, found.positives, found.found, found.both) == (3, 2, 2, 1)
    assert (found.precision, found.recall) == (0.5, 0.5)
    nothing = agreement(rows[2:], lambda _: False)
    assert (nothing.precision, nothing.recall) == (None, None)


def test_the_detector_agrees_with_readers_on_the_kept_answers() -> None:
    rows = read_labelled()
    assert len(rows) == 200
    found = agreement(rows, abstains)
    assert (found.precision or 0.0) >= 0.9
    assert (found.recall or 0.0) >= 0.9


def test_answers_to_label_are_different_and_tell_nothing_of_the_rule() -> None:
    said = ArmAnswer(text="`1`", score=1.0, abstained=False, citations=(), sources=())
    other = ArmAnswer(text="`2`", score=0.0, abstained=False, citations=(), sources=())
    questions = [
        AnsweredQuestion(
            id=str(n), task="default", answerable=True, question="?", gold="`1`", arms={"sft": one}
        )
        for n, one in enumerate((said, said, other))
    ]
    rows = drawn(questions, 5, seed=1)
    assert [row["answer"] for row in rows] == ["`1`", "`2`"]
    assert all(set(row) == {"arm", "question", "answer"} for row in rows)


def test_the_command_prints_a_line_an_arm(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["abstention", "--errors"])
    assert command.main() == 0
    *_, last = capsys.readouterr().out.splitlines()
    assert json.loads(last)["all"]["n"] == 200
