"""Protects the stage: its files, its row accounting, what it says of a limit, that the engine serves it."""

import csv
from pathlib import Path
from typing import Any

import pytest
import torch

from deploy.messages import Message
from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings
from tasks.errors import TrainingError
from tasks.machine.settings import RunSettings
from tasks.methods.parts.files import read_weights
from tasks.rows.records import Example
from tasks.rows.reports import Report, read_report, unbalanced
from tasks.rows.tables import write_table
from tasks.training.ppo.heldout import Answers, compare
from tasks.training.ppo.prompts import Prompts
from tasks.training.rlhf import rlhf
from tasks.training.settings import RlhfSettings
from tests.conftest import write_tiny_index
from tests.tasks.rows.made import default_asked, outcomes
from tests.tasks.training.ppo.conftest import small


def example(number: int) -> Example:
    asked = f"In `svm.SVC`, what is the default of `{'C' * number}`?"
    return default_asked(f"e{number}", asked, document=None if number % 2 else "svm.SVC")


class Stage:
    """The inputs of the stage in one folder; `run` is one call of it."""

    def __init__(self, folder: Path, base: Path, embedder: Path, sft: Path, reward: Path) -> None:
        self.folder, self.base, self.sft = folder, base, sft
        self.inputs = (folder / "splits", base, embedder, folder / "index", sft, reward)
        write_tiny_index(folder / "index", embedder, {"svm.SVC": "C=1.0 : float\nA number."})
        for name, count in (("train", 40), ("validation", 6)):
            rows = [example(number) for number in range(count)]
            write_table(folder / "splits" / name / "examples.parquet", Example, rows)

    def run(self, settings: RlhfSettings) -> Report:
        work = self.folder / "work"
        work.mkdir(exist_ok=True)
        rlhf(
            *self.inputs,
            adapter=self.folder / "rlhf",
            curve=self.folder / "curve.csv",
            report=self.folder / "rlhf.json",
            work=work,
            run=RunSettings(seed=1, threads=1, precision="float32", attn_implementation="auto"),
            retrieval=RetrievalSettings(top_k=1, candidates=5, dense_weight=0.5),
            prompt=PromptSettings(template="assistant"),
            generation=GenerationSettings(max_new_tokens=8, temperature=0.0, top_p=1.0),
            settings=settings,
        )
        return read_report(self.folder / "rlhf.json")


@pytest.fixture
def stage(
    tmp_path: Path, tiny_base: Path, tiny_embedder: Path, sft_adapter: Path, reward_adapter: Path
) -> Stage:
    return Stage(tmp_path, tiny_base, tiny_embedder, sft_adapter, reward_adapter)


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
        ("unused", "over rlhf.updates x prompts sampled an update"): 24,
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


def test_prompts_that_were_sampled_and_not_learned_from_are_counted(
    stage: Stage, settings: RlhfSettings
) -> None:
    report = stage.run(settings.model_copy(update={"batch_size": 8, "oversampling": 3}))
    assert unbalanced(report.rows) == []
    assert (report.figures["rollouts"], report.figures["learned_rollouts"]) == (48, 16)
    counts = outcomes(report.rows)
    assert counts["trained", ""] == 8
    assert counts["unused", "the responses to it differ less than those to others"] == 16


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
def test_a_policy_that_answers_held_out_prompts_worse_is_not_kept(
    stage: Stage, settings: RlhfSettings, monkeypatch: pytest.MonkeyPatch, keep: str, kept: str
) -> None:
    from tasks.training.ppo import heldout

    plain = heldout.compare

    def worse(*arguments: Any, **named: Any) -> dict[str, Any]:
        return plain(*arguments, **named) | {
            "task_score_difference": {"mean": -0.1, "low": -0.2, "high": 0.0}
        }

    monkeypatch.setattr(heldout, "compare", worse)
    report = stage.run(settings.model_copy(update={"keep": keep}))
    assert report.figures["kept"] == kept
    start, end = read_weights(stage.sft), read_weights(stage.folder / "rlhf")
    unchanged = all(torch.equal(end[name], tensor) for name, tensor in start.items())
    assert unchanged == (kept == "sft")


def test_prompts_that_training_did_not_reach_are_unused(stage: Stage, settings: RlhfSettings) -> None:
    report = stage.run(settings.model_copy(update={"kl_limit": 1e-9}))
    assert report.figures["stopped"] == "kl_limit"
    assert outcomes(report.rows)["unused", "training stopped before it"] == 8
    assert unbalanced(report.rows) == []


def test_prompts_without_room_are_counted_and_none_at_all_is_an_error(
    stage: Stage, settings: RlhfSettings
) -> None:
    with pytest.raises(TrainingError, match=r"of the train split .* raise rlhf\.max_length"):
        stage.run(settings.model_copy(update={"max_length": 20}))


def test_too_many_prompts_without_room_stop_the_run() -> None:
    chosen = Prompts(examples=(example(0),) * 9, tokens=((1,),) * 9, entered=12, too_long=1)
    chosen.require_few_cut(limit=0.1, max_length=64)
    with pytest.raises(TrainingError, match=r"of 10 prompts 1 leave no room.*64; raise it.*rlhf\.max_cut"):
        chosen.require_few_cut(limit=0.09, max_length=64)


def answers(scores: list[float], response: int) -> Answers:
    return Answers(
        responses=[[response]] * len(scores),
        scores=scores,
        kl=0.5,
        kl_token=0.1,
        ended_share=1.0,
        response_length=1.0,
    )


@pytest.mark.parametrize(
    ("rewards", "quality_after", "fell", "hacked"),
    [([2.0, 2.0], 1.0, False, False), ([2.0, 2.0], 0.0, False, True), ([0.0, 0.5], 0.0, True, False)],
)
def test_a_reward_that_rises_while_answers_get_worse_is_called_hacked(
    rewards: list[float], quality_after: float, fell: bool, hacked: bool
) -> None:
    figures = compare(
        answers([1.0, 1.0], 7),
        answers(rewards, 8),
        lambda _row, response: 1.0 if response == [7] else quality_after,
        seed=0,
    )
    assert (figures["reward_fell"], figures["reward_hacked"]) == (fell, hacked)
    assert figures["task_score_before"] == 1.0
    assert figures["changed_answers"] == 2
