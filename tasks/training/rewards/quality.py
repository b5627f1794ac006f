"""How well a reward model tells the better of two answers: by kind, by length, by its own certainty."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import correlation
from typing import Any

from tasks.training.rewards.baselines import baselines
from tasks.training.rewards.pairs import Pairs

CERTAINTIES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)  # edges of the bins of the calibration
ENOUGH = 20  # pairs of a kind, below which nothing is said of it


def quality(differences: Sequence[float], training: Pairs, held_out: Pairs) -> dict[str, Any]:
    """The figures of a reward model by which the better answers of `held_out` score `differences` higher.

    Accuracy with its interval, and the same by flaw, by kind of label and by which answer is longer; the
    rules fitted on `training` that it must beat; how far certainty and accuracy differ; how scores go with
    length.
    """
    right = [difference > 0.0 for difference in differences]
    told = [row.preference for row in held_out.examples]
    longer = [len(each.chosen) - len(each.rejected) for each in told]
    return {
        **accuracy(right),
        "dropped": {reason: count for reason, count in held_out.dropped.items() if count},
        "by_flaw": _parts(right, (each.flaw or "other" for each in told)),
        "by_label": _parts(right, (each.label for each in told)),
        "by_length": _parts(right, map(_which_is_longer, longer)),
        "length_correlation": _correlation(differences, longer),
        "calibration": calibration(differences),
        "baselines": baselines(training.examples, held_out.examples),
    }


def accuracy(right: Sequence[bool]) -> dict[str, Any]:
    """How many pairs, the share that is right, and its 95 % interval (Wilson 1927)."""
    from scipy.stats import binomtest

    low, high = binomtest(sum(right), len(right)).proportion_ci(method="wilson")
    return {
        "pairs": len(right),
        "accuracy": round(sum(right) / len(right), 4),
        "interval": [round(low, 4), round(high, 4)],
    }


def calibration(differences: Sequence[float]) -> dict[str, Any]:
    """How certain the model is of its choices, and how often it is right (Guo et al. 2017, arXiv:1706.04599).

    The certainty of a pair is the chance that Bradley and Terry's model gives to the higher score.
    `error` is the expected calibration error, `bins` the means of each bin that has pairs.
    """
    certainties = [1.0 / (1.0 + math.exp(-abs(difference))) for difference in differences]
    bins = []
    for low, high in pairwise(CERTAINTIES):
        inside = [
            (certainty, difference > 0.0)
            for certainty, difference in zip(certainties, differences, strict=True)
            if low <= certainty < high or certainty == high == CERTAINTIES[-1]
        ]
        if inside:
            certain = sum(certainty for certainty, _ in inside) / len(inside)
            right = sum(is_right for _, is_right in inside) / len(inside)
            bins.append({"pairs": len(inside), "certainty": round(certain, 4), "accuracy": round(right, 4)})
    error = sum(each["pairs"] * abs(each["certainty"] - each["accuracy"]) for each in bins)
    return {"error": round(error / len(differences), 4), "bins": bins}


def shortcomings(told: Mapping[str, Any] | None) -> list[str]:
    """What speaks against optimising for a reward model of these figures; none: nothing does.

    Over all pairs it has to be better for sure than a guess and than the rules that read nothing. Of a flaw,
    one of those rules is always right, so that there, and for each kind of label, it has to be surely better
    than a guess, where there are pairs enough to tell.
    """
    if told is None:
        return ["there are no pairs to judge it by"]
    low = told["interval"][0]
    found = []
    if low <= 0.5:
        found.append(f"it is right in {told['accuracy']:.2f} of {told['pairs']} pairs, at worst {low:.2f}")
    found += [
        f"at worst it is right in {low:.2f}, and \u201c{rule['rule']}\u201d in {rule['accuracy']:.2f}"
        for rule in told["baselines"].values()
        if low <= rule["accuracy"]
    ]
    for group in ("by_flaw", "by_label"):
        for name, part in told[group].items():
            if part["pairs"] >= ENOUGH and part["interval"][0] <= 0.5:
                found.append(f"of {part['pairs']} pairs {name} it is right in {part['accuracy']:.2f}")
    return found


def _parts(right: Sequence[bool], names: Iterable[str]) -> dict[str, dict[str, Any]]:
    parts: dict[str, list[bool]] = defaultdict(list)
    for value, name in zip(right, names, strict=True):
        parts[name].append(value)
    return {name: accuracy(values) for name, values in sorted(parts.items())}


def _which_is_longer(difference: int) -> str:
    return "equal" if difference == 0 else "better_longer" if difference > 0 else "better_shorter"


def _correlation(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Pearson's, None where one of them never changes."""
    if len(set(one)) < 2 or len(set(other)) < 2:
        return None
    return round(correlation(one, other), 4)
