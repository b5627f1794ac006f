"""Protects a model's verdicts: both orders count, a favourite place is a tie, a circle gives equal ranks."""

import re
from collections.abc import Callable

import pytest

from deploy.messages import Message
from tasks.training.sampling.comparing import DECIDED, SWAYED, TIED, comparisons, judged, question
from tasks.training.sampling.labelling import Answers


def answers(*responses: str, reference: str = "Four.") -> Answers:
    return Answers(
        id="e1",
        task="chat",
        prompt=(Message("user", "Two and two?"),),
        responses=responses,
        evidence=(),
        group="g",
        reference=reference,
    )


def shown(asked: str) -> tuple[str, str]:
    """The two responses that a judge was shown, in their order."""
    one, other = re.findall(r"\[Response [AB]\]\n(.*?)\n\[End of response", asked, re.DOTALL)
    return one, other


def by(better: Callable[[str, str], bool]) -> Callable[[str], str]:
    """A judge to whom an answer is better than another where `better` says so."""

    def judge(asked: str) -> str:
        one, other = shown(asked)
        return f"So: [[{'A' if better(one, other) else 'B' if better(other, one) else 'C'}]]"

    return judge


def test_the_answer_that_beats_most_is_first_and_equals_tie() -> None:
    found = judged(answers("a", "ccc", "bb", "dd"), by(lambda one, other: len(one) > len(other)))
    assert found.ranking == (4.0, 1.0, 2.0, 2.0)
    assert found.pairs == {DECIDED: 5, TIED: 1}
    assert (found.replies, found.unreadable) == (12, 0) == (comparisons([answers("a", "b", "c", "d")]), 0)


def test_a_judge_who_likes_what_it_reads_first_decides_nothing() -> None:
    found = judged(answers("a", "b"), lambda _asked: "[[A]]")
    assert (found.ranking, found.pairs) == ((1.0, 1.0), {SWAYED: 1})


def test_a_circle_gives_equal_ranks() -> None:
    beats = {("a", "b"), ("b", "c"), ("c", "a")}
    assert judged(answers("a", "b", "c"), by(lambda *pair: pair in beats)).ranking == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("reply", "unreadable"), [("Both are good.", 2), ("[[D]]", 2), ("Not [[A]], I mean [[C]]", 0)]
)
def test_a_reply_without_a_verdict_is_counted_and_the_last_verdict_counts(
    reply: str, unreadable: int
) -> None:
    found = judged(answers("a", "b"), lambda _asked: reply)
    assert (found.ranking, found.pairs, found.unreadable) == ((1.0, 1.0), {TIED: 1}, unreadable)


def test_the_good_answer_is_shown_where_there_is_one() -> None:
    told = question(answers("one", "two"), 1, 0)
    assert shown(told) == ("two", "one")
    assert "[Reference answer]\nFour.\n" in told
    assert "user: Two and two?" in told
    assert "eference" not in question(answers("one", "two", reference=""), 0, 1)
