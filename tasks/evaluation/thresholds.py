"""From which chance of the abstention on a model should abstain."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from deploy.engines.abstaining import Abstaining, chance_of, evidence
from deploy.files import read_json
from tasks.errors import SourceError


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A question: the chance that a model gives to the abstention, and whether its sources hold the answer.

    `coverage` is how much of the question they cover, in 0..1.
    """

    chance: float
    coverage: float = 0.0
    answered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What a rule does: the share of abstentions where the sources do not answer, and where they do."""

    rule: Abstaining
    rightly: float
    wrongly: float

    @property
    def worth(self) -> float:
        """Both rates weighed alike (Youden's index): 1 where the two are told apart, 0 by guessing."""
        return self.rightly - self.wrongly


def read_thresholds(path: Path) -> dict[str, Abstaining]:
    """When each model abstains that has a threshold.

    Raises:
        SourceError: the file is missing or is not what the stage `calibrate` writes.
    """
    return read_json(path, dict[str, Abstaining], error=SourceError, advice="run dvc repro calibrate")


def points(found: Sequence[Observed], *, coverage_weight: float = 0.0) -> list[Point]:
    """What 0, every threshold between two neighbouring questions, and 1 do, with this weight of coverage.

    Both sorts of questions must be among `found`.
    """
    speaks = sorted({evidence(each.chance, each.coverage, coverage_weight=coverage_weight) for each in found})
    between = [(one + other) / 2 for one, other in pairwise(speaks)]
    thresholds = (0.0, *map(chance_of, between), 1.0)
    return [point(Abstaining(threshold=at, coverage_weight=coverage_weight), found) for at in thresholds]


def best(curve: Sequence[Point], *, at_most: float | None = None) -> Point:
    """The point that abstains rightly most among those that do so wrongly in `at_most` of the cases.

    Where two do so equally, the one that errs less; of equal ones that in the middle. None: the point of the
    greatest worth, however often it abstains wrongly. A curve of `points` ends with one that never abstains.
    """

    def merit(point: Point) -> tuple[float, float]:
        return (point.rightly, -point.wrongly) if at_most is not None else (round(point.worth, 12), 0.0)

    within = [point for point in curve if at_most is None or point.wrongly <= at_most]
    most = max(map(merit, within))
    equal = [point for point in within if merit(point) == most]
    return equal[(len(equal) - 1) // 2]


def point(rule: Abstaining, found: Sequence[Observed]) -> Point:
    """What a rule does to questions; both sorts must be among `found`."""
    said: dict[bool, list[bool]] = {True: [], False: []}
    for each in found:
        said[each.answered].append(rule.abstains(each.chance, each.coverage))
    return Point(
        rule=rule,
        rightly=sum(said[False]) / len(said[False]),
        wrongly=sum(said[True]) / len(said[True]),
    )
