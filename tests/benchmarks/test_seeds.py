"""Protects the figures over seeds: all seeds count, and what one of them lacks has no mean."""

from dataclasses import replace
from pathlib import Path

from benchmarks.seeds import gains, keep, kept, seeded, seeds_markdown, spread, summary
from tasks.evaluation.ledger import Difference, Ledger, Subset
from tasks.pages.numbers import percent
from tasks.settings import load_settings
from tests.conftest import ROOT
from tests.tasks.evaluation.test_ledger import ARM, ledger


def of(score: float, *, follow_ups: float, rlhf: bool = True) -> Ledger:
    part = Subset(score=follow_ups, low=0.0, high=1.0, n=4, abstention=None, false_abstention=None)
    like = replace(part, score=score, n=6)
    subsets = {"like training": like, "follow-ups": part}
    arm = replace(ARM, score=score, abstention=score, subsets=subsets, tasks={"default": score})
    return ledger({"sft": arm, **({"rlhf": arm} if rlhf else {})})


def test_the_mean_has_the_lowest_and_the_highest_beside_it() -> None:
    assert spread([0.5, 0.75, 0.7]) == "0.650 (0.500 to 0.750)"
    assert spread([0.5, 0.5]) == "0.500"
    assert spread([0.11, 0.13], percent) == "12 % (11 % to 13 %)"


def test_a_figure_that_one_seed_lacks_has_no_mean() -> None:
    assert spread([0.5, None]) == "\u2013"
    assert spread([]) == "\u2013"


def test_each_row_is_over_all_seeds_and_a_row_that_one_lacks_is_left_out() -> None:
    text = seeds_markdown({1: of(0.6, follow_ups=0.2), 2: of(0.8, follow_ups=0.4, rlhf=False)})
    [row] = [line for line in text.splitlines() if line.startswith("| + fine-tuning | 0.700")]
    assert row == (
        "| + fine-tuning | 0.700 (0.600 to 0.800) | 70 % (60 % to 80 %) | \u2013 "
        "| 0.70 (0.60 to 0.80) | 0.30 (0.20 to 0.40) |"
    )
    assert "+ RLHF" not in text
    assert "| default | 0.70 (0.60 to 0.80) |" in text
    assert "2 seeds (1, 2)" in text
    assert "20 questions together" in text


def test_what_rlhf_adds_is_told_of_each_run_and_of_all_together() -> None:
    def gained(mean: float, low: float, high: float) -> Ledger:
        one = of(0.6, follow_ups=0.2)
        gain = Difference(against="sft", mean=mean, low=low, high=high, verdict="not clear")
        return replace(one, arms={**one.arms, "rlhf": replace(one.arms["rlhf"], difference=gain)})

    [line, _] = gains([gained(0.04, 0.0, 0.08), gained(0.0, -0.03, 0.03)])
    assert line == (
        "RLHF over fine-tuning, with 95 % intervals: +0.040 (+0.000 to +0.080), +0.000 (-0.030 to +0.030); "
        "together +0.020 (-0.005 to +0.045)."
    )
    assert gains([gained(0.04, 0.0, 0.08)]) == []
    assert gains([gained(0.04, 0.0, 0.08), of(0.5, follow_ups=0.1, rlhf=False)]) == []


def test_the_json_has_the_figures_of_every_seed() -> None:
    told = summary({1: of(0.6, follow_ups=0.2), 2: of(0.8, follow_ups=0.4)})
    assert [told[seed]["sft"]["follow-ups"] for seed in ("1", "2")] == [0.2, 0.4]


def test_another_seed_is_all_that_changes(tmp_path: Path) -> None:
    given = (ROOT / "params.yaml").read_text(encoding="utf-8")
    path = tmp_path / "params.yaml"
    path.write_text(seeded(given, 7), encoding="utf-8")
    before, after = load_settings(ROOT / "params.yaml"), load_settings(path)
    assert after.run.seed == 7
    assert before.run.seed != 7
    assert after == before.model_copy(update={"run": after.run})


def test_a_ledger_is_kept_as_long_as_the_settings_are_the_same(tmp_path: Path) -> None:
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    assert kept(tmp_path, 7) is None
    told = keep(tmp_path, 7, of(0.6, follow_ups=0.2))
    assert kept(tmp_path, 7) == told
    (tmp_path / "params.yaml").write_text(
        seeded(text, 3).replace("port: 8000", "port: 8001"), encoding="utf-8"
    )
    assert kept(tmp_path, 7) == told
    (tmp_path / "params.yaml").write_text(text.replace("max_rows: 800", "max_rows: 801"), encoding="utf-8")
    assert kept(tmp_path, 7) is None
