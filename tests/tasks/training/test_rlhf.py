"""Protects the stage: its files, its row accounting, what it says of a limit, that the engine serves it."""

import csv
import shutil
from pathlib import Path

import pytest
import torch

from deploy.messages import Message
from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings
from tasks.errors import TrainingError
from tasks.machine.settings import RunSettings
from tasks.methods.note import MethodNote, write_note
from tasks.methods.parts.files import read_weights
from tasks.rows.learned import learned_in
from tasks.rows.records import Example, Preference
from tasks.rows.reports import Report, read_report, unbalanced
from tasks.rows.skipped import skip
from tasks.rows.tables import write_table
from tasks.training.reinforcement.heldout import Answers, compare
from tasks.training.reinforcement.prompts import TOO_LONG, Prompts
from tasks.training.reinforcement.worth import Prompt
from tasks.training.rewards.gate import write_gate
from tasks.training.rlhf import rlhf
from tasks.training.rlhf_settings import RlhfSettings
from tests.conftest import write_tiny_index
from tests.tasks.rows.made import default_asked, outcomes
from tests.tasks.training.reinforcement.conftest import small


def example(number: int) -> Example:
    asked = f"In `svm.SVC`, what is the default of `{'C' * number}`?"
    return default_asked(f"e{number}", asked, document=None if number % 2 else "svm.SVC")


def preference(number: int) -> Preference:
    return Preference(
        id=f"p{number}",
        source="made",
        task="chat",
        prompt=example(number).prompt,
        chosen="yes",
        rejected="no" if number else "yes",
        margin=0.0,
        label="human",
        flaw="",
        evidence=(),
        quote="",
        withheld=(),
        group=f"p{number}",
    )


class Stage:
    """The inputs of the stage in one folder; `run` is one call of it."""

    def __init__(self, folder: Path, base: Path, embedder: Path, sft: Path, reward: Path) -> None:
        self.folder, self.base, self.sft = folder, base, sft
        (folder / "rewards").mkdir()
        for name, adapter in (("sft", sft), ("reward", reward)):
            shutil.copytree(adapter, folder / name)
        write_gate(folder / "reward", [])
        write_note(folder / "sft", MethodNote(method="lora", settings={}, cannot={}))
        self.inputs = (
            folder / "splits",
            base,
            embedder,
            folder / "index",
            folder / "sft",
            folder / "samples",
            folder / "reward",
            folder / "rewards",
        )
        write_tiny_index(folder / "index", embedder, {"svm.SVC": "C=1.0 : float\nA number."})
        for name, count in (("train", 40), ("validation", 6)):
            rows = [example(number) for number in range(count)]
            write_table(folder / "splits" / name / "examples.parquet", Example, rows)
        pairs = [preference(number) for number in range(10)]
        write_table(folder / "splits" / "train" / "preferences.parquet", Preference, pairs)
        write_table(folder / "samples" / "train" / "preferences.parquet", Preference, [])

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
            retrieval=RetrievalSettings(top_k=1, candidates=5, dense_weight=0.5, fusion="scores"),
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
