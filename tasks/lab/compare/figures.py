"""From trials to rows: means over seeds, intervals over questions, shares of what full tuning gains."""

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tasks.lab.settings import UNTUNED
from tasks.scoring.scores import bootstrap

FULL = "full"
RESAMPLES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodFigures:
    """One method, over all of its seeds.

    `score` is the mean over questions and seeds, with the bounds of its 95 % interval over questions;
    `spread` is the largest difference between two seeds. `gain_share` is the gain over the base as a share
    of full tuning's gain. `trainable_share` is of all weights, `stored_mib` what a task costs on disk.
    `slower_served` and `slower_attached` are the time of a token against the base model's: as served, and
    with the adapter beside the weights. None: there is nothing to measure.
    """

    method: str
    seeds: int
    score: float
    low: float
    high: float
    spread: float
    gain_share: float | None
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
    means = {name: _mean_scores(found) for name, found in by_method.items()}
    base = _mean(means[UNTUNED]) if UNTUNED in means else None
    full = _mean(means[FULL]) if FULL in means else None
    rows = [
        _row(name, found, means[name], base=base, full=full, seed=seed) for name, found in by_method.items()
    ]
    return sorted(rows, key=lambda row: (row.method != UNTUNED, -row.score, row.method))


def _row(
    name: str,
    trials: Sequence[Mapping[str, Any]],
    scores: Sequence[float],
    *,
    base: float | None,
    full: float | None,
    seed: int,
) -> MethodFigures:
    interval = bootstrap(scores, resamples=RESAMPLES, seed=seed)
    single = [_mean(trial["scores"]) for trial in trials]
    gain = None
    if base is not None and full is not None and full > base and name != UNTUNED:
        gain = round((interval.mean - base) / (full - base), 3)
    trainable, total = _median(trials, "trainable"), _median(trials, "total")
    stored = _median(trials, "bytes")
    return MethodFigures(
        method=name,
        seeds=len(trials),
        score=round(interval.mean, 4),
        low=round(interval.low, 4),
        high=round(interval.high, 4),
        spread=round(max(single) - min(single), 4),
        gain_share=gain,
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


def _mean_scores(trials: Sequence[Mapping[str, Any]]) -> list[float]:
    """The score of each question, meant over seeds; all trials asked the same questions."""
    return [_mean(values) for values in zip(*(trial["scores"] for trial in trials), strict=True)]


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
