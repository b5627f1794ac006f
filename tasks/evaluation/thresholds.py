"""From which chance of the abstention on a model should abstain."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from deploy.files import read_json
from tasks.errors import SourceError

_SMALLEST = 1e-6  # chances are compared by their log-odds, which are finite only inside of 0..1


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """The chance that a model gives to the abstention, and whether its sources hold the answer."""

    chance: float
    answered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What a threshold does: the share of abstentions where the sources do not answer, and where they do."""

    threshold: float
    rightly: float
    wrongly: float

    @property
    def worth(self) -> float:
        """Both rates weighed alike (Youden's index): 1 where the two are told apart, 0 by guessing."""
        return self.rightly - self.wrongly


def read_thresholds(path: Path) -> dict[str, float]:
    """The threshold of each model that has one.

    Raises:
        SourceError: the file is missing or is not what the stage `calibrate` writes.
    """
    return read_json(path, dict[str, float], error=SourceError, advice="run dvc repro calibrate")


def points(found: Sequence[Chance]) -> list[Point]:
    """What 0, every threshold between two neighbouring chances, and 1 do.

    Both sorts of questions must be among `found`.
    """
    odds = sorted({_odds(each.chance) for each in found})
    between = [(one + other) / 2 for one, other in pairwise(odds)]
    return [_point(threshold, found) for threshold in (0.0, *map(_chance, between), 1.0)]


def best(curve: Sequence[Point]) -> Point:
    """The point of the greatest worth; of equal ones that in the middle."""
    most = max(point.worth for point in curve)
    equal = [point for point in curve if math.isclose(point.worth, most, abs_tol=1e-12)]
    return equal[(len(equal) - 1) // 2]


def told_apart(found: Sequence[Chance]) -> float:
    """The area under the ROC curve: how often a question without an answer has the greater chance."""
    without = [each.chance for each in found if not each.answered]
    with_ = [each.chance for each in found if each.answered]
    wins = sum((one > other) + 0.5 * (one == other) for one in without for other in with_)
    return wins / (len(without) * len(with_))


def _point(threshold: float, found: Sequence[Chance]) -> Point:
    said: dict[bool, list[bool]] = {True: [], False: []}
    for each in found:
        said[each.answered].append(each.chance >= threshold)
    return Point(
        threshold=threshold,
        rightly=sum(said[False]) / len(said[False]),
        wrongly=sum(said[True]) / len(said[True]),
    )


def _odds(chance: float) -> float:
    held = min(max(chance, _SMALLEST), 1.0 - _SMALLEST)
    return math.log(held / (1.0 - held))


def _chance(odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-odds))
