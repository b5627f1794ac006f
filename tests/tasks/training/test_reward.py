"""Protects the reward model: it starts as sft, pairs score as single rows do, the row accounting is right."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from deploy.abstention import ABSTENTION
from deploy.engines.chat import load_tokenizer
from deploy.messages import Message
from tasks.errors import TrainingError
from tasks.machine.device import Device, set_up_torch
from tasks.methods import METHODS
from tasks.methods.lora import LoraSettings
from tasks.methods.method import Material
from tasks.methods.parts.base_model import load_base
from tasks.methods.parts.files import read_weights
from tasks.rows.grounding import ground_preferences
from tasks.rows.records import Preference
from tasks.rows.reports import unbalanced
from tasks.settings import Settings
from tasks.training.rewards.baselines import baselines
from tasks.training.rewards.learning import learn_rewards, quality, ranked
from tasks.training.rewards.model import SCORE, load_reward_model, scores
from tasks.training.rewards.pairs import Pairs, TokenPair, collate, tokenise
from tasks.training.settings import RewardSettings
from tasks.training.trained import Trained
from tests.conftest import small_settings
from tests.contents import hashes
from tests.deploy.knowledge.listed import reader
from tests.tasks.rows.made import ASKED, pair


def preference(number: int) -> Preference:
    """One pair in three: a wrong value, a false abstention, an invented answer."""
    flaw = ("wrong_value", "false_abstention", "invented")[number % 3]
    changed = {
        "wrong_value": {"rejected": "`2.0`"},
        "false_abstention": {"rejected": ABSTENTION},
        "invented": {"chosen": ABSTENTION, "rejected": "`3`", "evidence": (), "quote": ""},
    }[flaw]
    known = {"evidence": ("svm.SVC" if number != 4 else "elsewhere",), "quote": "C=1.0 :", "flaw": flaw}
    asked = Message("user", ASKED + " tol" * (number % 5))
    return pair(f"p{number}", **{**known, "prompt": (asked,), **changed})


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A tiny base, an sft adapter on it, and settings."""

    folder: Path
    base: Path
    sft: Path
    device: Device
    settings: Settings

    def learn(self, work: str, **changed: object) -> Trained:
        """Train a reward model on thirty pairs, nine held out."""
        small: dict[str, object] = {
            "max_rows": 24,
            "counterfactuals": {},
            "validation_rows": 9,
            "batch_size": 4,
            "trained_layers": 2,
            "epochs": 12,
            "evaluations": 2,
        }
        reward: RewardSettings = self.settings.reward.model_copy(update={**small, **changed})
        pairs = [preference(number) for number in range(39)]
        return learn_rewards(
            pairs[:30],
            pairs[30:],
            reader(),
            self.base,
            self.sft,
            work=self.folder / work,
            run=self.settings.run,
            settings=reward,
        )


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> Bench:
    """The sft adapter stands on some layers only, and has random weights: nothing about it may be zero."""
    import torch

    folder, settings = tmp_path_factory.mktemp("reward"), small_settings()
    device = set_up_torch(settings.run)
    chosen = LoraSettings(rank=8, alpha=8, trained_layers=3)
    adapted = METHODS["lora"].attach(
        load_base(tiny_base, device), chosen, Material(tokenizer=load_tokenizer(tiny_base))
    )
    for name, parameter in adapted.trained().items():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    adapted.write(folder / "sft")
    METHODS["lora"].note(folder / "sft", chosen)
    return Bench(folder=folder, base=tiny_base, sft=folder / "sft", device=device, settings=settings)


@pytest.fixture(scope="module")
def learned(bench: Bench) -> Trained:
    """One whole run."""
    return bench.learn("first", learning_rate=0.005)


def test_the_lower_layers_stay_as_sft_left_them(learned: Trained, bench: Bench) -> None:
    before, after = read_weights(bench.sft), read_weights(learned.adapter)
    assert set(after) - set(before) == {SCORE}
    for name, tensor in before.items():
        assert bool((after[name] == tensor).all()) == (".layers.1." in name), name


def test_every_row_is_accounted_for(learned: Trained) -> None:
    assert unbalanced(learned.report.rows) == []
    counts = {row.outcome: row.count for row in learned.report.rows}
    assert counts["in"] == 30
    assert counts["unused"] == 6


def test_accuracy_stands_beside_what_it_must_beat(learned: Trained) -> None:
    figures = learned.report.figures
    assert figures["validation_pairs"] == 9
    assert sum(flaw["pairs"] for flaw in figures["by_flaw"].values()) == 9
    assert figures["interval"][0] <= figures["accuracy"] <= figures["interval"][1]
    assert figures["accuracy"] > 0.6
    assert set(figures["baselines"]) == {"length", "majority"}
    lines = learned.curve.splitlines()
    assert lines[0] == "step,loss,validation_accuracy"
    assert float(lines[-1].split(",")[2]) == pytest.approx(figures["accuracy"], abs=1e-4)


def test_the_same_pairs_give_the_same_bytes(learned: Trained, bench: Bench) -> None:
    again = bench.learn("again", learning_rate=0.005)
    assert hashes(again.adapter) == hashes(learned.adapter)
    assert again.report == learned.report
    config = json.loads((learned.adapter / "adapter_config.json").read_text())
    assert (config["base_model_name_or_path"], config["task_type"]) == ("base", "SEQ_CLS")


def test_a_pair_in_one_row_scores_as_its_answers_alone(learned: Trained, bench: Bench) -> None:
    import torch

    from tasks.training.rewards.model import score_at

    model = load_reward_model(bench.base, learned.adapter, bench.device)
    pairs = [
        TokenPair(prompt=(5, 6, 7, 8), chosen=(9, 10, 2), rejected=(11, 2), margin=0.0, flaw=""),
        TokenPair(prompt=(5, 6), chosen=(9, 2), rejected=(12, 13, 14, 2), margin=0.0, flaw=""),
    ]
    batch = collate(pairs)
    with torch.no_grad():
        together = score_at(
            model, batch["input_ids"], batch["ends"], mask=batch["mask"], positions=batch["positions"]
        )
    alone = scores(model, [sequence for pair in pairs for sequence in pair.sequences])
    assert together.flatten().tolist() == pytest.approx(alone, abs=1e-5)


def test_the_score_is_read_at_the_end_of_turn(learned: Trained, bench: Bench) -> None:
    import torch

    model = load_reward_model(bench.base, learned.adapter, bench.device)
    row = [5, 6, 7, 2]
    hidden = model.get_base_model().model(input_ids=torch.tensor([row])).last_hidden_state
    expected = (hidden[0, -1] @ read_weights(learned.adapter)[SCORE].T).item()
    assert scores(model, [row, [*row, *row]])[0] == pytest.approx(expected, abs=1e-5)


def test_a_resumed_run_can_judge_the_saved_model_anew(learned: Trained, bench: Bench) -> None:
    grounded = ground_preferences([preference(number) for number in range(30, 39)], reader())
    pairs = tokenise(grounded, load_tokenizer(bench.base), max_length=640).rows
    right = ranked(load_reward_model(bench.base, learned.adapter, bench.device), pairs)
    assert sum(right) / len(right) == pytest.approx(learned.report.figures["accuracy"], abs=1e-4)


def test_baselines_take_the_direction_that_training_shows() -> None:
    @dataclass(frozen=True)
    class Pair:
        chosen: str
        rejected: str

    long, short = Pair("a long answer", "short"), Pair("no", "yes, of course")
    told = baselines([long, long, short], [long, short, short])  # type: ignore[list-item]
    assert told["length"] == {"rule": "the longer answer wins", "accuracy": round(1 / 3, 4)}
    told = baselines([Pair("`1`", ABSTENTION)], [Pair(ABSTENTION, "`1`"), long])  # type: ignore[list-item]
    assert told["majority"] == {"rule": "the abstention loses", "accuracy": 0.25}


def test_the_interval_is_wilsons() -> None:
    pair = TokenPair(prompt=(1,), chosen=(2,), rejected=(3,), margin=0.0, flaw="invented")
    pairs = Pairs(rows=(pair,) * 100, examples=(), dropped={})
    told = quality([True] * 90 + [False] * 10, pairs, pairs)
    assert told["interval"] == pytest.approx((0.8256, 0.9448), abs=1e-4)
    assert told["by_flaw"] == {"invented": {"pairs": 100, "accuracy": 0.9}}


def test_too_many_pairs_that_are_too_long_stop_the_run(bench: Bench) -> None:
    grounded = ground_preferences([preference(number) for number in range(12)], reader())
    tokenizer = load_tokenizer(bench.base)
    whole = tokenise(grounded, tokenizer, max_length=640)
    whole.require_few_cut(limit=0.0, max_length=640)
    longest = max(max(map(len, row.sequences)) for row in whole.rows)
    cut = tokenise(grounded, tokenizer, max_length=longest - 1)
    with pytest.raises(
        TrainingError, match=r"of 12 pairs \d+ are longer than reward\.max_length.*max_cut is 0"
    ):
        cut.require_few_cut(limit=0.0, max_length=longest - 1)


def test_beside_a_base_in_bfloat16_it_learns_as_in_float32(bench: Bench) -> None:
    short = replace(bench, settings=small_settings(run={"threads": 1, "precision": "bfloat16"}))
    whole, other = (each.learn(name).report.figures for name, each in (("f32", bench), ("bf16", short)))
    assert other["precision"] == "bfloat16"
    assert other["accuracy"] == pytest.approx(whole["accuracy"], abs=0.12)
