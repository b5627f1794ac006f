"""Protects the stage: its files, its row accounting, what it says of a limit, that the engine serves it."""

import csv

import pytest
import torch

from deploy.messages import Message
from tasks.errors import TrainingError
from tasks.methods.parts.files import read_weights
from tasks.rows.learned import learned_in
from tasks.rows.reports import unbalanced
from tasks.training.reinforcement.heldout import Answers, compare
from tasks.training.reinforcement.prompts import TOO_LONG, Prompts
from tasks.training.reinforcement.worth import Prompt
from tasks.training.rlhf_settings import RlhfSettings
from tests.tasks.rows.made import outcomes
from tests.tasks.training.reinforcement.conftest import small
from tests.tasks.training.rlhf_stage import Stage, example


@pytest.fixture
def settings() -> RlhfSettings:
    return small().model_copy(update={"updates": 2, "max_length": 500})


def test_a_run_accounts_for_every_prompt_and_says_what_it_gained(
    stage: Stage, settings: RlhfSettings
) -> None:
    report = stage.run(settings)
    assert unbalanced(report.rows) == []
    assert outcomes(report.rows) == {
        ("in", ""): 40,
        ("unused", "over what all updates can sample responses to"): 24,
        ("trained", ""): 16,
    }
    assert (report.figures["stopped"], report.figures["updates"], report.figures["rollouts"]) == (
        "finished",
        2,
        32,
    )
    heldout = report.figures["heldout"]
    assert heldout["prompts"] == 4
    assert heldout["reward_difference"]["low"] <= heldout["reward_difference"]["high"]
    with (stage.folder / "curve.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["update"] for line in lines] == ["1", "2"]
    assert (lines[0]["kl"], lines[1]["kl"]) != ("0", "0")
    assert lines[0]["kl"] == "0"


def test_prompts_to_which_all_responses_are_alike_are_counted(stage: Stage, settings: RlhfSettings) -> None:
    # No answer of a random model is right: by the task's score all are worth the same.
    alike = {"prompts": 4, "redraws": 3, "rewards": {"score": 1.0}, "missing_end_penalty": 0.0}
    report = stage.run(settings.model_copy(update=alike))
    assert unbalanced(report.rows) == []
    assert (report.figures["rollouts"], report.figures["learned_rollouts"]) == (48, 0)
    counts = outcomes(report.rows)
    assert ("trained", "") not in counts or counts["trained", ""] == 0
    assert counts["unused", "all responses to it are worth the same"] == 24


def test_the_engine_serves_the_adapter(stage: Stage, settings: RlhfSettings) -> None:
    from deploy.engines.engine import Sampling
    from deploy.engines.local import TransformersEngine

    stage.run(settings)
    engine = TransformersEngine(stage.base, {"rlhf": stage.folder / "rlhf"}, dtype="float32")
    (answer,) = engine.generate([[Message("user", "C?")]], model="rlhf", sampling=Sampling(max_new_tokens=4))
    assert answer.completion_tokens <= 4


def test_a_limit_that_the_last_update_breaks_is_said_and_undone(stage: Stage, settings: RlhfSettings) -> None:
    one = settings.model_copy(update={"updates": 1, "kl_limit": 1e-9})
    report = stage.run(one)
    assert report.figures["stopped"] == "kl_limit"
    assert report.figures["heldout"]["kl"] == 0.0
    assert report.figures["heldout"]["changed_answers"] == 0


@pytest.mark.parametrize(("keep", "kept"), [("better", "sft"), ("always", "policy")])
def test_a_policy_that_answers_held_out_prompts_no_better_is_not_kept(
    stage: Stage, settings: RlhfSettings, keep: str, kept: str
) -> None:
    # No answer of a random model is right: none can be better.
    report = stage.run(settings.model_copy(update={"keep": keep}))
    assert report.figures["kept"] == kept
    start, end = read_weights(stage.sft), read_weights(stage.folder / "rlhf")
    unchanged = all(torch.equal(end[name], tensor) for name, tensor in start.items())
    assert unchanged == (kept == "sft")
    lines = learned_in(stage.folder / "rlhf")
    assert lines is not None
    trained = outcomes(report.rows)["trained", ""] if kept == "policy" else 0  # sft has learned nothing more
    assert len({line.id for line in lines}) == len(lines) == trained


def test_prompts_that_training_did_not_reach_are_unused(stage: Stage, settings: RlhfSettings) -> None:
    report = stage.run(settings.model_copy(update={"kl_limit": 1e-9}))
    assert report.figures["stopped"] == "kl_limit"
    assert outcomes(report.rows)["unused", "training ended before it"] == 8
    assert unbalanced(report.rows) == []


def test_prompts_without_room_are_counted_and_none_at_all_is_an_error(
    stage: Stage, settings: RlhfSettings
) -> None:
    with pytest.raises(TrainingError, match=r"of the train split .* raise rlhf\.max_length"):
        stage.run(settings.model_copy(update={"max_length": 20}))


def test_too_many_prompts_without_room_stop_the_run() -> None:
    row = Prompt(tokens=(1,), example=example(0))
    chosen = Prompts(kind="example", rows=(row,) * 9, entered=12, chosen=10, dropped={TOO_LONG: 1})
    chosen.require_few_cut(limit=0.1, max_length=64)
    with pytest.raises(TrainingError, match=r"of 10 prompts 1 leave no room.*64; raise it.*rlhf\.max_cut"):
        chosen.require_few_cut(limit=0.09, max_length=64)


def answers(worths: list[float], score: float, response: int) -> Answers:
    return Answers(
        responses=[[response]] * len(worths),
        worths=worths,
        scores=[score] * len(worths),
        kl=0.5,
        kl_token=0.1,
        ended_share=1.0,
        response_length=1.0,
    )


@pytest.mark.parametrize(
    ("rewards", "score_after", "fell", "hacked"),
    [([2.0, 2.0], 1.0, False, False), ([2.0, 2.0], 0.0, False, True), ([0.0, 0.5], 0.0, True, False)],
)
def test_a_reward_that_rises_while_answers_get_worse_is_called_hacked(
    rewards: list[float], score_after: float, fell: bool, hacked: bool
) -> None:
    figures = compare(answers([1.0, 1.0], 1.0, 7), answers(rewards, score_after, 8), seed=0)
    assert (figures["reward_fell"], figures["reward_hacked"]) == (fell, hacked)
    assert figures["task_score_before"] == 1.0
    assert figures["changed_answers"] == 2
