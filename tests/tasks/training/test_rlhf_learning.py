"""Protects what the stage learns from: scores, rewards, pairs or answers, and no run without what it asks."""

import csv
import shutil

import pytest

from tasks.rows.learned import learned_in
from tasks.rows.records import Preference
from tasks.rows.reports import unbalanced
from tasks.rows.skipped import skip
from tasks.rows.tables import write_table
from tasks.training.rewards.gate import write_gate
from tasks.training.rlhf_settings import RlhfSettings
from tests.tasks.rows.made import outcomes
from tests.tasks.training.reinforcement.conftest import small
from tests.tasks.training.rlhf_stage import Stage


@pytest.fixture
def settings() -> RlhfSettings:
    return small().model_copy(update={"updates": 2, "max_length": 500})


def write_skipped(stage: Stage) -> None:
    """A reward model that was skipped."""
    shutil.rmtree(stage.inputs[6])
    skip(
        "reward",
        "there are no pairs",
        kind="preference",
        entered=0,
        adapter=stage.inputs[6],
        curve=stage.folder / "reward.csv",
        report=stage.folder / "reward.json",
    )


def test_it_learns_from_the_task_s_score_without_a_reward_model(stage: Stage, settings: RlhfSettings) -> None:
    (stage.folder / "rewards" / "short.py").write_text(
        "def reward(question, answer, reference):\n    return -len(answer)\n", encoding="utf-8"
    )
    write_skipped(stage)
    free = settings.model_copy(
        update={"algorithm": "grpo", "rewards": {"score": 1.0, "short": 0.1}, "validation_passes": 1}
    )
    report = stage.run(free)
    assert report.figures["algorithm"] == "grpo"
    assert report.figures["trainable_parameters"] > 0
    with (stage.folder / "curve.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert lines[0]["heldout"] == ""
    assert lines[-1]["heldout"] != ""
    assert float(lines[0]["reward"]) < 0.0


def test_without_the_reward_model_that_it_asks_it_is_skipped(stage: Stage, settings: RlhfSettings) -> None:
    write_skipped(stage)
    report = stage.run(settings)
    assert report.figures["skipped"] == "rlhf.rewards asks the reward model, and there are no pairs"
    off = stage.run(settings.model_copy(update={"enabled": False}))
    assert off.figures["skipped"] == "rlhf.enabled is false in params.yaml"


def test_a_reward_model_that_is_not_to_be_trusted_judges_nothing(
    stage: Stage, settings: RlhfSettings
) -> None:
    write_gate(stage.folder / "reward", ["of 35 pairs invented it is right in 0.26"])
    report = stage.run(settings.model_copy(update={"rewards": {"score": 1.0, "model": 0.5}}))
    assert "not to be trusted: of 35 pairs invented it is right in 0.26" in report.figures["skipped"]
    assert "reward.gate: false" in report.figures["skipped"]


@pytest.mark.parametrize("algorithm", ["dpo", "kto", "orpo"])
def test_it_learns_from_preferences(stage: Stage, settings: RlhfSettings, algorithm: str) -> None:
    report = stage.run(
        settings.model_copy(update={"algorithm": algorithm, "learns_from": "preferences", "prompts": 4})
    )
    assert unbalanced(report.rows) == []
    assert outcomes(report.rows) == {
        ("in", ""): 10,
        ("trained", ""): 7,
        ("dropped", "both answers are the same tokens"): 1,
        ("unused", "over what all updates can sample responses to"): 2,
    }
    assert report.figures["kept"] == "sft" or len(learned_in(stage.folder / "rlhf") or ()) == 7


def test_without_the_pairs_that_it_learns_from_it_is_skipped(stage: Stage, settings: RlhfSettings) -> None:
    for folder in stage.inputs:
        for path in folder.glob("train/preferences.parquet"):
            write_table(path, Preference, [])
    report = stage.run(settings.model_copy(update={"algorithm": "dpo", "learns_from": "preferences"}))
    assert report.figures["skipped"].startswith("rlhf.learns_from is preferences, and there are none")


@pytest.mark.parametrize(
    ("changed", "as_served"),
    [({}, True), ({"heldout_as_served": False}, False), ({"rewards": {"model": 1.0}}, True)],
)
def test_held_out_prompts_are_answered_as_they_are_served(
    stage: Stage, settings: RlhfSettings, changed: dict[str, object], as_served: bool
) -> None:
    served = {"rewards": {"score": 1.0}, "algorithm": "grpo", "heldout_as_served": True, **changed}
    figures = stage.run(settings.model_copy(update=served)).figures
    assert figures["judged_as_served"] is as_served
    # Half of them have no answer: a random model never says so by itself, and does so by a threshold.
    assert figures["heldout"]["task_score_before"] == (0.5 if as_served else 0.0)


def test_more_fine_tuning_is_its_control(stage: Stage, settings: RlhfSettings) -> None:
    more = {"algorithm": "sft", "learns_from": "answers", "prompts": 8, "redraws": 1}
    report = stage.run(settings.model_copy(update=more))
    assert unbalanced(report.rows) == []
    assert outcomes(report.rows)["trained", ""] == report.figures["learned_rollouts"] == 16


def test_questions_whose_evidence_was_not_found_are_left_out_and_twins_are_counted(
    stage: Stage, settings: RlhfSettings
) -> None:
    report = stage.run(settings.model_copy(update={"counterfactuals": {"default": 1.0}}))
    assert unbalanced(report.rows) == []
    kinds = {row.kind for row in report.rows}
    assert kinds == {"example", "counterfactual"}
