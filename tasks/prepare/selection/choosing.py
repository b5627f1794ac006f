"""Chooses rows by a score, with the lengths of their answers as they are among all or as the score has it."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Chooser = Callable[[Sequence[int], int], list[tuple[int, float]]]
BANDS = 10  # of answers by their length, each with as many rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The place of a row among those that could be chosen, and the score that it was chosen for."""

    place: int
    score: float


def highest(scores: Sequence[float]) -> Chooser:
    """Chooses the rows with the highest scores; of equal ones the first."""

    def choose(places: Sequence[int], count: int) -> list[tuple[int, float]]:
        ordered = sorted(places, key=lambda place: (-scores[place], place))
        return [(place, scores[place]) for place in ordered[:count]]

    return choose


def at_random(seed: int) -> Chooser:
    """Chooses by lot: the control that any other way has to beat."""

    def choose(places: Sequence[int], count: int) -> list[tuple[int, float]]:
        drawn = random.Random(seed).sample(list(places), min(count, len(places)))
        return [(place, 0.0) for place in drawn]

    return choose


def choose(chooser: Chooser, lengths: Sequence[int], count: int, *, keep_lengths: bool) -> list[Chosen]:
    """`count` rows (or all, where there are fewer), in the order of the rows.

    With `keep_lengths` each tenth of the rows by the length of the answer gives as many: else a score that
    likes long answers, or short ones, chooses little more than length.
    """
    if keep_lengths:
        ordered = sorted(range(len(lengths)), key=lambda place: (lengths[place], place))
        bands = [
            ordered[len(ordered) * band // BANDS : len(ordered) * (band + 1) // BANDS]
            for band in range(BANDS)
        ]
    else:
        bands = [list(range(len(lengths)))]
    found = [
        Chosen(place=place, score=score)
        for band, places in enumerate(bands)
        for place, score in chooser(places, count * (band + 1) // len(bands) - count * band // len(bands))
    ]
    return sorted(found, key=lambda each: each.place)
