"""Protects pairs of own answers: the task's score judges, ties make none, and the flaw is named."""

import pytest

from deploy.abstention import ABSTENTION
from tasks.training.sampling.answers import Sampled
from tasks.training.sampling.judging import judged
from tests.tasks.rows.made import default_asked


def sampled(*answers: str, document: str | None = "svm.SVC") -> Sampled:
    return Sampled(example=default_asked("e", document=document), answers=answers)


def test_each_right_answer_beats_each_wrong_one_and_nothing_else() -> None:
    pairs = judged([sampled("`1.0`", "`2.0`", "It is `1`.", ABSTENTION)], least=0.5)
    assert [(pair.chosen, pair.rejected, pair.flaw) for pair in pairs] == [
        ("`1.0`", "`2.0`", "wrong_answer"),
        ("`1.0`", ABSTENTION, "false_abstention"),
        ("It is `1`.", "`2.0`", "wrong_answer"),
        ("It is `1`.", ABSTENTION, "false_abstention"),
    ]
    assert {(pair.label, pair.margin, pair.evidence) for pair in pairs} == {("checked", 1.0, ("svm.SVC",))}
    assert len({pair.id for pair in pairs}) == 4


def test_without_evidence_the_abstention_wins() -> None:
    (pair,) = judged([sampled("`1.0`", ABSTENTION, document=None)], least=0.5)
    assert (pair.chosen, pair.rejected, pair.flaw) == (ABSTENTION, "`1.0`", "invented")


@pytest.mark.parametrize("answers", [(), ("`1.0`",), ("`2.0`", "`3.0`"), ("`1.0`", "1.0")])
def test_answers_that_are_equally_good_make_no_pair(answers: tuple[str, ...]) -> None:
    assert judged([sampled(*answers)], least=0.5) == []
