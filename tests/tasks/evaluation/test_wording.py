"""Protects what is said of the questions' wording: that of people is told from that of the documents."""

from dataclasses import replace

import pytest

from deploy.abstention import ABSTENTION
from deploy.messages import Message
from tasks.evaluation.arms import Answered
from tasks.evaluation.ledger import Wording
from tasks.evaluation.wording import wording
from tests.tasks.rows.made import document, question

DOCUMENTS = [document("a", "The kernel maps samples."), document("b", "Weights of each class.")]
# The question, the documents that answer it, and the share of its words that stands in them.
ASKED = {
    "q0": ("Kernel maps samples?", ("a",), 1.0),
    "q1": ("Kernel maps pictures?", ("a",), 2 / 3),
    "q2": ("Kernel draws pictures?", ("a",), 1 / 3),
    "q3": ("Kernel weights?", ("b", "a"), 0.5),
    "q4": ("Weights class?", ("b", "gone"), 1.0),
}
SCORES = {"q0": 1.0, "q1": 1.0, "q2": 0.0, "q3": 0.5, "q4": 1.0}


def answer(name: str) -> Answered:
    text, evidence, _ = ASKED[name]
    return Answered(
        example=question(name, text, evidence=evidence),
        text="",
        score=SCORES[name],
        abstained=False,
        numbers=(),
        sources=(),
        finished=True,
    )


ANSWERS = [answer(name) for name in ASKED]
EVERY = sum(share for *_, share in ASKED.values()) / len(ASKED)


def told(*answers: Answered) -> Wording | None:
    return wording({"base": answers, "sft": answers}, DOCUMENTS, resamples=200, seed=1)


def test_the_score_is_that_of_the_third_that_shares_fewest_words_with_its_documents() -> None:
    found = told(*ANSWERS)
    assert found is not None
    assert (found.arm, found.n, found.score) == ("sft", 2, 0.25)
    assert found.literalness == pytest.approx(EVERY, abs=1e-4)
    assert 0.0 <= found.low < 0.25 < found.high <= 0.5
    assert told(*ANSWERS[::-1]) == found


def test_the_last_tuned_arm_is_the_one_that_is_told_of() -> None:
    better = [replace(each, score=1.0) for each in ANSWERS]
    found = wording({"sft": ANSWERS, "rlhf": better, "rule": ANSWERS}, DOCUMENTS, resamples=200, seed=1)
    assert found is not None
    assert (found.arm, found.score) == ("rlhf", 1.0)


def test_where_a_question_takes_all_documents_the_words_of_all_of_them_count() -> None:
    both = replace(ANSWERS[3], example=replace(ANSWERS[3].example, takes_all=True))
    for each, share in ((ANSWERS[3], 0.5), (both, 1.0)):
        found = told(each)
        assert found is not None
        assert found.literalness == share


def test_all_turns_of_the_user_are_the_question() -> None:
    earlier = (Message("user", "Kernel draws?"), Message("assistant", "Samples."))
    row = replace(ANSWERS[0].example, messages=(*earlier, *ANSWERS[0].example.messages))
    found = told(replace(ANSWERS[0], example=row))
    assert found is not None
    assert found.literalness == 0.75


def test_questions_without_known_documents_or_without_an_answer_are_not_looked_at() -> None:
    unknown = replace(ANSWERS[0], example=replace(ANSWERS[0].example, evidence=("gone",)))
    unanswerable = replace(
        ANSWERS[0], example=question("q9", "Kernel?", ABSTENTION, evidence=("a",), answerable=False)
    )
    assert told(*ANSWERS, unknown, unanswerable) == told(*ANSWERS)
    assert told(unknown, unanswerable) is None
    assert wording({"base": ANSWERS, "rule": ANSWERS}, DOCUMENTS, resamples=200, seed=1) is None
