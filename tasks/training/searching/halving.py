"""Successive halving (Jamieson and Talwalkar 2016, arXiv:1502.07943): many short trials, then fewer, longer.

Each rung has an equal part of the budget. Of its trials the best 1/eta go on to the next one, where they are
trained anew: the learning rate's schedule ends with the training, so a short one is no part of a long one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tasks.training.searching.journal import Attempt
from tasks.training.searching.proposals import Candidate, Proposals
from tasks.training.settings import SearchSettings

Try = Callable[[Candidate, "Rung"], Attempt]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """A round of trials, and the tokens that each of them may have."""

    number: int
    trials: int
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HalvingResult:
    """All attempts in their order, the tokens that they took, and why there are no more."""

    attempts: tuple[Attempt, ...]
    spent: int
    stopped: str

    @property
    def best(self) -> Attempt | None:
        """The lowest loss of the last rung in which a trial succeeded: those of two rungs do not compare."""
        good = [attempt for attempt in self.attempts if attempt.loss is not None]
        last = max((attempt.rung for attempt in good), default=0)
        return min((attempt for attempt in good if attempt.rung == last), key=_rank, default=None)


def rungs(settings: SearchSettings) -> tuple[Rung, ...]:
    """The rounds, from many short trials to few long ones."""
    part = settings.tokens // settings.rungs
    counts = [settings.trials // settings.eta**number for number in range(settings.rungs)]
    return tuple(
        Rung(number=number, trials=count, tokens=part // count) for number, count in enumerate(counts)
    )


def halve(proposals: Proposals, attempt: Try, settings: SearchSettings) -> HalvingResult:
    """Try candidates in all rungs, as far as the budget goes; a trial that fails takes its share of it along.

    The best of a rung go first in the next one, so where the budget ends early, it was spent on them.
    """
    attempts: list[Attempt] = []
    candidates: dict[int, Candidate] = {}
    spent = 0

    def result(stopped: str) -> HalvingResult:
        return HalvingResult(attempts=tuple(attempts), spent=spent, stopped=stopped)

    for rung in rungs(settings):
        waiting = _survivors(attempts, rung) if rung.number else [None] * rung.trials
        if not waiting:
            return result(f"no trial of rung {rung.number} succeeded")
        for number in waiting:
            took = [one.trained for one in attempts if one.rung == rung.number and one.trained is not None]
            if attempts and spent + max([rung.tokens, *took]) > settings.tokens:
                return result(
                    "the budget was spent early: a training step takes more tokens than the share of a trial"
                )
            candidate = proposals.ask() if number is None else candidates[number]
            candidates[candidate.number] = candidate
            done = attempt(candidate, rung)
            attempts.append(done)
            spent += rung.tokens if done.trained is None else done.trained
            if number is None:
                proposals.tell(candidate, done.loss)
    return result("every rung was run")


def _survivors(attempts: Sequence[Attempt], rung: Rung) -> list[int]:
    """The numbers of the best candidates of the rung before, the best first."""
    good = [one for one in attempts if one.rung == rung.number - 1 and one.loss is not None]
    return [one.number for one in sorted(good, key=_rank)[: rung.trials]]


def _rank(attempt: Attempt) -> tuple[float, int]:
    assert attempt.loss is not None
    return attempt.loss, attempt.number
