"""What a rule of abstaining does on questions that it was not chosen by."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from deploy.engines.abstaining import Abstaining
from tasks.evaluation.thresholds import Observed, Point, best, point, points
from tasks.evaluation.weighing import best_weight

_ROUNDS = 20  # each halves the questions anew, and either half chooses for the other


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """The share of abstentions where the sources do not answer (`rightly`), and where they do (`wrongly`)."""

    rightly: float
    wrongly: float


def on_other_halves(found: Sequence[Observed], *, seed: int, at_most: float | None = None) -> Rates | None:
    """The mean rates on one half of the questions of the rule that the other half chooses.

    The rates at the point that the same questions chose are always better than the next question's will be;
    these are not, and a little worse than those of the rule of all questions. `at_most` is the limit that
    each half keeps to (`best`). None where a sort of questions cannot be halved.
    """
    sorts = [[each for each in found if each.answered == answered] for answered in (True, False)]
    if min(map(len, sorts)) < 2:
        return None
    draw = random.Random(seed)
    tried: list[Point] = []
    for _ in range(_ROUNDS):
        halves: tuple[list[Observed], list[Observed]] = ([], [])
        for sort in sorts:
            drawn = draw.sample(sort, len(sort))
            halves[0].extend(drawn[: len(drawn) // 2])
            halves[1].extend(drawn[len(drawn) // 2 :])
        tried += [point(_chosen_by(one, at_most), other) for one, other in (halves, halves[::-1])]
    return Rates(rightly=fmean(each.rightly for each in tried), wrongly=fmean(each.wrongly for each in tried))


def _chosen_by(found: Sequence[Observed], at_most: float | None) -> Abstaining:
    return best(points(found, coverage_weight=best_weight(found)), at_most=at_most).rule
