"""Judges the answers to a prompt by the task's score: a pair of each two of which one is clearly better."""

from collections.abc import Sequence
from itertools import combinations

from deploy.abstention import abstains
from tasks.rows.records import Preference
from tasks.scoring.scores import score
from tasks.training.sampling.answers import Sampled
from tasks.training.traces import SAMPLED, sampled_name


def judged(sampled: Sequence[Sampled], *, least: float) -> list[Preference]:
    """The pairs of answers whose scores differ by `least` and more, the better one chosen."""
    return [pair for each in sampled for pair in _pairs(each, least)]


def _pairs(sampled: Sampled, least: float) -> list[Preference]:
    scored = [score(sampled.example, answer) for answer in sampled.answers]
    ordered = [
        (one, other) if scored[one] >= scored[other] else (other, one)
        for one, other in combinations(range(len(scored)), 2)
    ]
    return [
        _preference(sampled, better, worse, scored[better] - scored[worse])
        for better, worse in ordered
        if scored[better] - scored[worse] >= least
    ]


def _preference(sampled: Sampled, better: int, worse: int, apart: float) -> Preference:
    example = sampled.example
    chosen, rejected = sampled.answers[better], sampled.answers[worse]
    return Preference.between(
        example,
        chosen,
        rejected,
        name=sampled_name(example, better + 1, worse + 1),
        source=SAMPLED,
        label="checked",
        flaw=_flaw(chosen, rejected),
        margin=apart,
    )


def _flaw(better: str, worse: str) -> str:
    if abstains(worse):
        return "false_abstention"
    return "invented" if abstains(better) else "wrong_answer"
