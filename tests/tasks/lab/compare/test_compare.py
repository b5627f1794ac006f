"""Protects the lab's table: means over seeds, shares of full tuning's gain, verdicts that follow figures."""

import json
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import SourceError
from tasks.lab.compare import compare
from tasks.lab.compare.claims import judge
from tasks.lab.compare.figures import MethodFigures, rows_of
from tasks.pages.numbers import fine_percent
from tasks.settings import load_settings
from tests.conftest import ROOT
from tests.tasks.pages.checking import checked

PARAMS = ROOT / "params.yaml"


def trial(method: str, seed: int, scores: list[float], **changed: Any) -> dict[str, Any]:
    untuned = method == "none"
    told = {
        "method": method,
        "seed": seed,
        "scores": scores,
        "abstained": [False] * len(scores),
        "answerable": [True, False] * (len(scores) // 2),
        "retention": 0.9,
        "base_ms": 20.0,
        "served_ms": None if untuned else 20.5,
        "attached_ms": None if untuned else 30.0,
    }
    if not untuned:
        told |= {
            "trainable": 1000,
            "total": 100_000,
            "tokens": 2000,
            "tokens_per_s": 250.0,
            "peak_mib": 900,
            "bytes": 4 * 2**20,
        }
    return told | changed


TRIALS = [
    trial("none", 0, [0.0, 0.0, 0.4, 0.0]),
    trial("full", 1, [1.0, 1.0, 0.4, 0.0]),
    trial("lora", 1, [1.0, 1.0, 0.0, 0.0], trainable=500),
    trial("lora", 2, [1.0, 0.0, 0.0, 0.0], trainable=500),
    trial("prompt", 1, [0.0, 0.0, 0.4, 0.0]),
]
QUESTIONS = 200


def scored(method: str, score: float, *, seeds: int = 3, **changed: Any) -> list[dict[str, Any]]:
    """Trials whose scores are 1 for a share of the questions, evenly among all; half have no answer."""
    right = [float(int(score * (place + 1)) > int(score * place)) for place in range(QUESTIONS)]
    return [trial(method, seed, right, **changed) for seed in range(seeds)]


SCORES = {
    "none": (0.3, {"seeds": 1}),
    "full": (0.8, {}),
    "lora": (0.8, {"trainable": 500}),
    "prompt": (0.6, {"trainable": 50}),
    "pruning": (0.7, {}),
    "unrecovered": (0.1, {"seeds": 1, "retention": 0.5}),
    "curated": (0.7, {}),
    "noisy": (0.7, {}),
}


def by_name(trials: list[dict[str, Any]]) -> dict[str, MethodFigures]:
    return {row.method: row for row in rows_of(trials, seed=1)}


def test_scores_are_meant_over_seeds_and_gains_are_shares_of_full_tunings() -> None:
    rows = by_name(TRIALS)
    assert list(rows) == ["none", "full", "lora", "prompt"]
    assert rows["lora"].score == pytest.approx(0.375)
    assert rows["lora"].spread == pytest.approx(0.25)
    assert rows["lora"].seeds == 2
    assert rows["lora"].gain_share == pytest.approx((0.375 - 0.1) / (0.6 - 0.1), abs=1e-3)
    assert rows["full"].gain_share == 1.0
    assert rows["none"].gain_share is rows["none"].trainable is None
    assert rows["lora"].trainable_share == 0.005
    assert rows["lora"].stored_mib == 4.0
    assert rows["lora"].slower_attached == 1.5


def test_without_full_tuning_or_a_gain_no_share_is_told() -> None:
    assert by_name([t for t in TRIALS if t["method"] != "full"])["lora"].gain_share is None
    worse = [t | {"scores": [0.0] * 4} if t["method"] == "full" else t for t in TRIALS]
    assert by_name(worse)["lora"].gain_share is None


def test_an_interval_is_over_seeds_as_well() -> None:
    even = by_name(scored("lora", 0.5))["lora"]
    uneven = by_name(
        [trial("lora", seed, [score] * QUESTIONS) for seed, score in enumerate((0.2, 0.5, 0.8))]
    )["lora"]
    assert even.score == pytest.approx(uneven.score) == 0.5
    assert even.spread == 0.0
    assert 0.4 < even.low < even.high < 0.6
    assert uneven.low < 0.3
    assert uneven.high > 0.7


@pytest.mark.parametrize(
    ("start", "changed", "verdict"),
    [
        ("Below 1 %", {}, "confirmed"),
        ("Below 1 %", {"lora": 0.76}, "cannot be told here"),
        ("Below 1 %", {"lora": 0.5}, "contradicted"),
        ("Below 1 %", {"lora": {"trainable": 5000}, "prompt": {"trainable": 5000}}, "not measured"),
        ("Below 1 %", {"full": 0.55}, "cannot be told here"),
        ("Below 1 %", {"none": 0.75}, "cannot be told here"),
        ("Below 1 %", {"lora": {"seeds": 2}}, "cannot be told here"),
        ("Below 1 %", {"full": {"seeds": 1}}, "cannot be told here"),
        ("A merged LoRA", {}, "confirmed"),
        ("A merged LoRA", {"lora": {"served_ms": 25.0}}, "contradicted"),
        ("A merged LoRA", {"lora": {"served_ms": 22.0}}, "contradicted"),
        ("A merged LoRA", {"lora": {"served_ms": 22.0}, "full": {"served_ms": 17.0}}, "confirmed"),
        ("Soft prompts", {}, "confirmed"),
        ("Soft prompts", {"prompt": 0.78}, "cannot be told here"),
        ("Soft prompts", {"prompt": 0.95, "full": 0.9}, "contradicted"),
        ("Adapters make", {}, "not measured"),
        ("A pruned model", {}, "confirmed"),
        ("A pruned model", {"unrecovered": 0.3, "pruning": 0.35}, "cannot be told here"),
        ("A pruned model", {"unrecovered": {"retention": 0.97, "score": 0.4}}, "contradicted"),
        ("A pruned model", {"pruning": {"seeds": 1}}, "cannot be told here"),
        ("1,000 curated", {}, "cannot be told here"),
        ("1,000 curated", {"noisy": 0.9}, "contradicted"),
        ("1,000 curated", {"curated": 0.9}, "confirmed"),
        ("1,000 curated", {"curated": 0.9, "full": 0.3}, "cannot be told here"),
    ],
)
def test_a_verdict_follows_the_figures(start: str, changed: dict[str, Any], verdict: str) -> None:
    trials = []
    for method, (score, usual) in SCORES.items():
        given = changed.get(method, {})
        named = {"score": given} if isinstance(given, float) else given
        trials += scored(method, **{"score": score, **usual, **named})
    [claim] = [claim for claim in judge(rows_of(trials, seed=1)) if claim.claim.startswith(start)]
    assert claim.verdict == verdict, claim.figures
    assert claim.figures


def test_the_stage_writes_the_table_and_both_pages(tmp_path: Path) -> None:
    settings = load_settings(PARAMS)
    few = settings.compare.model_copy(update={"methods": ["full", "lora", "noisy"], "seeds": [1]})
    (tmp_path / "trials").mkdir()
    for told in [*TRIALS, trial("noisy", 1, [0.0, 1.0, 0.0, 1.0])]:
        (tmp_path / "trials" / f"{told['method']}-{told['seed']}.json").write_text(json.dumps(told))
    out = {name: tmp_path / name for name in ("methods", "page", "claims")}
    compare(tmp_path / "trials", **out, run=settings.run, settings=few)

    table = json.loads(out["methods"].read_text())
    assert set(table) == {"none", "full", "lora", "noisy"}
    assert table["lora"]["score"] == pytest.approx(0.5)
    for name, words in (
        ("page", "30% of the rows with the answer of another"),
        ("claims", "A merged LoRA adds no latency"),
    ):
        text = out[name].read_text(encoding="utf-8")
        assert words in text
        assert not [target for target in checked(text).targets if "://" in target]

    (tmp_path / "trials" / "lora-1.json").write_text("{")
    with pytest.raises(SourceError, match=r"lora-1\.json cannot be read.*threeply compare"):
        compare(tmp_path / "trials", **out, run=settings.run, settings=few)


@pytest.mark.parametrize(
    ("value", "told"),
    [(None, "\u2013"), (0.000086, "0.0086 %"), (0.035, "3.5 %"), (1.0, "100 %"), (-1.56, "-156 %")],
)
def test_a_share_is_told_with_the_figures_that_count(value: float | None, told: str) -> None:
    assert fine_percent(value) == told
