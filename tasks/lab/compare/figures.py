"""From trials to rows: means over seeds, intervals over seeds and questions, shares of full tuning's gain."""

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tasks.lab.settings import UNTUNED

if TYPE_CHECKING:
    from numpy.typing import NDArray

FULL = "full"
RESAMPLES = 2000
LEAST_GAIN = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodFigures:
    """One method, over all of its seeds.

    `score` is the mean over questions and seeds, with the bounds of its 95 % interval over both; `spread` is
    the largest difference between two seeds, `constant` what always abstaining would score. `gain_share` is
    the gain over the base as a share of full tuning's gain, with its bounds. `trainable_share` is of all
    weights, `stored_mib` what a task costs on disk. `slower_served` and `slower_attached` are the time of a
    token against the base model's: as served, and with the adapter beside the weights. None: there is nothing
    to measure.
    """

    method: str
    seeds: int
    score: float
    low: float
    high: float
    spread: float
    constant: float
    gain_share: float | None
    gain_low: float | None
    gain_high: float | None
    abstains_rightly: float | None
    abstains_wrongly: float | None
    retention: float
    divergence: float | None
    trainable: int | None
    trainable_share: float | None
    stored_mib: float | None
    peak_mib: float | None
    learning_rate: float | None
    tokens: int | None
    tokens_per_s: float | None
    slower_served: float | None
    slower_attached: float | None

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON."""
        return {key: value for key, value in asdict(self).items() if key != "method"}


def rows_of(trials: Sequence[Mapping[str, Any]], *, seed: int) -> list[MethodFigures]:
    """One row for each method, the base first, then by score."""
    by_method: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for trial in trials:
        by_method[str(trial["method"])].append(trial)
    means = _means(by_method, seed=seed)
    rows = [_row(name, found, means) for name, found in by_method.items()]
    return sorted(rows, key=lambda row: (row.method != UNTUNED, -row.score, row.method))


def _row(
    name: str, trials: Sequence[Mapping[str, Any]], means: "Mapping[str, NDArray[np.float64]]"
) -> MethodFigures:
    score, low, high = _bounds(means[name])
    single = [_mean(trial["scores"]) for trial in trials]
    gain: tuple[float | None, ...] = (None, None, None)
    if name != UNTUNED and {FULL, UNTUNED} <= means.keys() and means[FULL][0] > means[UNTUNED][0]:
        whole = means[FULL] - means[UNTUNED]
        # Where full tuning gains nothing in a resample, a share of its gain is without bounds.
        parts = (means[name] - means[UNTUNED]) / np.maximum(whole, LEAST_GAIN)
        gain = tuple(round(value, 3) for value in _bounds(parts))
    trainable, total = _median(trials, "trainable"), _median(trials, "total")
    stored = _median(trials, "bytes")
    return MethodFigures(
        method=name,
        seeds=len(trials),
        score=round(score, 4),
        low=round(low, 4),
        high=round(high, 4),
        spread=round(max(single) - min(single), 4),
        constant=round(1.0 - _mean([float(kind) for kind in trials[0]["answerable"]]), 4),
        gain_share=gain[0],
        gain_low=gain[1],
        gain_high=gain[2],
        abstains_rightly=_abstaining(trials, answerable=False),
        abstains_wrongly=_abstaining(trials, answerable=True),
        retention=round(_mean([float(trial["retention"]) for trial in trials]), 4),
        divergence=_median(trials, "divergence"),
        trainable=None if trainable is None else int(trainable),
        trainable_share=None if trainable is None or total is None else round(trainable / total, 6),
        stored_mib=None if stored is None else round(stored / 2**20, 3),
        peak_mib=_median(trials, "peak_mib"),
        learning_rate=_median(trials, "learning_rate"),
        tokens=None if (tokens := _median(trials, "tokens")) is None else int(tokens),
        tokens_per_s=_median(trials, "tokens_per_s"),
        slower_served=_ratio(trials, "served_ms"),
        slower_attached=_ratio(trials, "attached_ms"),
    )


def _means(
    by_method: Mapping[str, Sequence[Mapping[str, Any]]], *, seed: int
) -> "dict[str, NDArray[np.float64]]":
    """The mean score of each method, and behind it those of resamples of its seeds and of the questions.

    All trials asked the same questions, and a resample draws the same ones for all methods: what is a
    difference of two methods is one of the same questions (Efron and Tibshirani 1993, chapter 8).
    """
    draw = np.random.default_rng(seed)
    count = len(next(iter(by_method.values()))[0]["scores"])
    asked = draw.integers(count, size=(RESAMPLES, 1, count))
    found = {}
    for name, trials in sorted(by_method.items()):
        scores = np.asarray([trial["scores"] for trial in trials], dtype=np.float64)
        seeds = draw.integers(len(scores), size=(RESAMPLES, len(scores), 1))
        found[name] = np.concatenate([[scores.mean()], scores[seeds, asked].mean(axis=(1, 2))])
    return found


def _bounds(means: "NDArray[np.float64]") -> tuple[float, float, float]:
    """The mean that stands first, and the bounds that hold 95 % of those behind it."""
    low, high = np.percentile(means[1:], [2.5, 97.5])
    return float(means[0]), float(low), float(high)


def _abstaining(trials: Sequence[Mapping[str, Any]], *, answerable: bool) -> float | None:
    found = [
        bool(abstained)
        for trial in trials
        for abstained, kind in zip(trial["abstained"], trial["answerable"], strict=True)
        if kind is answerable
    ]
    return round(_mean([float(value) for value in found]), 4) if found else None


def _ratio(trials: Sequence[Mapping[str, Any]], key: str) -> float | None:
    ratios = [trial[key] / trial["base_ms"] for trial in trials if trial.get(key) is not None]
    return round(statistics.median(ratios), 3) if ratios else None


def _median(trials: Sequence[Mapping[str, Any]], key: str) -> float | None:
    values = [float(trial[key]) for trial in trials if trial.get(key) is not None]
    return statistics.median(values) if values else None


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
