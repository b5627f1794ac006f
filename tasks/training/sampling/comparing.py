"""A model as judge: reads two answers beside each other, and says which one is better.

It is shown the question, the good answer where the row has one, and both answers, as in Zheng et al. 2023
(arXiv:2306.05685, figures 5 and 8). Judges favour the answer that they read first, so each pair is judged in
both orders, and where the verdicts differ it is a tie (the same, section 3.4).
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from tasks.training.sampling.labelling import Answers

Judge = Callable[[str], str]  # what it is asked, to what it replies
Verdict = Literal["first", "second", "tie"]
DECIDED, SWAYED, TIED = "decided", "by the order", "tied"

_VERDICT = re.compile(r"\[\[([ABC])\]\]")
_VERDICTS: dict[str, Verdict] = {"A": "first", "B": "second", "C": "tie"}
_INSTRUCTION = """Please act as an impartial judge and evaluate the quality of the two responses below to a \
user's question. Choose the response that is more correct, more helpful and follows the user's instructions \
better. Do not let the order of the responses or their length influence your decision.{compared} First \
explain your choice in one sentence, then end with your verdict in exactly this form: "[[A]]" if response A \
is better, "[[B]]" if response B is better, and "[[C]]" for a tie."""
_COMPARED = " A reference answer is given: compare both responses with it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The rank of each response, 1 for the best, how its pairs came out, and replies without a verdict."""

    ranking: tuple[float, ...]
    pairs: Counter[str]
    replies: int
    unreadable: int


def judged(answers: Answers, judge: Judge) -> Judged:
    """The responses ranked by how many of the others each beats; equals are ties.

    A circle (A beats B beats C beats A) gives its members equal ranks.
    """
    points = [0.0] * len(answers.responses)
    pairs: Counter[str] = Counter()
    verdicts: list[Verdict | None] = []
    for one, other in combinations(range(len(points)), 2):
        there = _verdict(judge(question(answers, one, other)))
        back = _verdict(judge(question(answers, other, one)))
        verdicts += there, back
        fate, share = _outcome(there, back)
        pairs[fate] += 1
        points[one] += share
        points[other] += 1.0 - share
    return Judged(
        ranking=tuple(1.0 + sum(each > own for each in points) for own in points),
        pairs=pairs,
        replies=len(verdicts),
        unreadable=verdicts.count(None),
    )


def _outcome(there: Verdict | None, back: Verdict | None) -> tuple[str, float]:
    """How a pair came out, and the share of its point for the first one; `back` is of the other order."""
    if (there, back) == ("first", "second"):
        return DECIDED, 1.0
    if (there, back) == ("second", "first"):
        return DECIDED, 0.0
    return (SWAYED if there == back and there in ("first", "second") else TIED), 0.5


def question(answers: Answers, first: int, second: int) -> str:
    """What the judge is asked about two responses, by their places."""
    parts = [
        _INSTRUCTION.format(compared=_COMPARED if answers.reference else ""),
        _part("Conversation", _conversation(answers)),
        *([_part("Reference answer", answers.reference)] if answers.reference else []),
        _part("Response A", answers.responses[first]),
        _part("Response B", answers.responses[second]),
    ]
    return "\n\n".join(parts)


def comparisons(every: Sequence[Answers]) -> int:
    """How many times a judge is asked about these."""
    return sum(len(each.responses) * (len(each.responses) - 1) for each in every)


def _conversation(answers: Answers) -> str:
    return "\n".join(f"{turn.role}: {turn.content}" for turn in answers.prompt)


def _part(title: str, text: str) -> str:
    return f"[{title}]\n{text}\n[End of {title.lower()}]"


def _verdict(reply: str) -> Verdict | None:
    """The last verdict of a reply: what comes before may quote the form. None where there is none."""
    found = _VERDICT.findall(reply)
    return _VERDICTS[found[-1]] if found else None
