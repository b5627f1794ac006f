"""Protects the reward model: it starts as sft, equal pairs give equal bytes, the row accounting is right."""

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
from tasks.rows.learned import learned_in
from tasks.rows.records import Preference
from tasks.rows.reports import unbalanced
from tasks.settings import Settings
from tasks.training.rewards.comparisons import answer_scores, comparisons, differences
from tasks.training.rewards.ensemble import lowest_scores
from tasks.training.rewards.gate import closed
from tasks.training.rewards.learning import Opinions, learn_rewards
from tasks.training.rewards.model import SCORE, load_reward_model, members, scores
from tasks.training.rewards.pairs import tokenise
from tasks.training.rewards.quality import shortcomings
from tasks.training.settings import RewardSettings
from tasks.training.trained import Trained
from tests.conftest import small_settings
from tests.contents import hashes
from tests.deploy.knowledge.listed import reader
from tests.tasks.rows.made import ASKED, pair
from tests.tasks.training.rewards.made import token_pair


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
            "test_rows": 6,
            "trained_layers": 2,
            "epochs": 12,
            "validation_passes": 2,
        }
        reward: RewardSettings = self.settings.reward.model_copy(update={**small, **changed})
        pairs = [preference(number) for number in range(39)]
        return learn_rewards(
            Opinions(given=pairs[:30]),
            Opinions(given=pairs[30:]),
            Opinions(given=[preference(number) for number in range(50, 56)]),
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


def test_the_pairs_that_have_taught_it_stand_beside_it(learned: Trained) -> None:
    lines = learned_in(learned.adapter)
    assert lines is not None
    trained = next(row.count for row in learned.report.rows if row.outcome == "trained")
    names = {line.id for line in lines}
    assert len(names) == len(lines) == trained
    assert names < {f"p{number}" for number in range(30)}
    assert "p4" not in names  # its evidence was not found
    assert {(line.kind, line.form) for line in lines} == {("preference", "itself")}
    assert len({line.times for line in lines}) == 1  # once in each epoch


def test_accuracy_stands_beside_what_it_must_beat(learned: Trained) -> None:
    figures = learned.report.figures
    told = figures["validation"]
    assert (told["pairs"], figures["test"]["pairs"]) == (9, 6)
    assert sum(flaw["pairs"] for flaw in told["by_flaw"].values()) == 9
    assert told["interval"][0] <= told["accuracy"] <= told["interval"][1]
    assert told["accuracy"] > 0.6
    assert set(told["baselines"]) == {"length", "majority"}
    assert figures["shortcomings"] == list(shortcomings(told))
    lines = learned.curve.splitlines()
    assert lines[0] == "step,loss,validation_accuracy"
    best = max(float(line.split(",")[2]) for line in lines[1:] if line.split(",")[2])
    assert best == pytest.approx(told["accuracy"], abs=1e-4)


def test_the_gate_is_what_the_settings_say(learned: Trained, bench: Bench) -> None:
    assert closed(learned.adapter) == "; ".join(learned.report.figures["shortcomings"])
    free = bench.learn("free", gate=False, epochs=1, learning_rate=1e-9)
    assert free.report.figures["shortcomings"]
    assert closed(free.adapter) == ""


def test_the_same_pairs_give_the_same_bytes(learned: Trained, bench: Bench) -> None:
    again = bench.learn("again", learning_rate=0.005)
    assert hashes(again.adapter) == hashes(learned.adapter)
    assert again.report == learned.report
    config = json.loads((learned.adapter / "adapter_config.json").read_text())
    assert (config["base_model_name_or_path"], config["task_type"]) == ("base", "SEQ_CLS")


def test_members_learn_apart_and_the_lowest_score_judges(learned: Trained, bench: Bench) -> None:
    two = bench.learn("two", members=2, learning_rate=0.005)
    assert [each.name for each in members(two.adapter)] == ["best", "member-1"]
    one, other = (read_weights(each) for each in members(two.adapter))
    assert {name: part.tolist() for name, part in one.items()} == {
        name: part.tolist() for name, part in read_weights(learned.adapter).items()
    }
    assert not bool((one[SCORE] == other[SCORE]).all())
    figures, alone = two.report.figures, learned.report.figures
    assert (figures["members"], figures["steps"]) == (2, 2 * alone["steps"])
    rows = comparisons(
        [token_pair((5, 6, 7, 8), (9, 10, 2), (11, 2)), token_pair((5, 6), (9, 2), (12, 13, 14, 2))],
        longest=99,
    )
    each = [
        answer_scores(load_reward_model(bench.base, folder, bench.device), rows)
        for folder in members(two.adapter)
    ]
    lowest = lowest_scores(bench.base, two.adapter, rows, bench.device)
    assert lowest == [[min(pair) for pair in zip(*row, strict=True)] for row in zip(*each, strict=True)]
    assert hashes(bench.learn("two again", members=2, learning_rate=0.005).adapter) == hashes(two.adapter)


def test_answers_in_one_row_score_as_alone(learned: Trained, bench: Bench) -> None:
    model = load_reward_model(bench.base, learned.adapter, bench.device)
    pairs = [
        token_pair((5, 6, 7, 8), (9, 10, 2), (11, 2)),
        token_pair((5, 6), (9, 2), (12, 13, 14, 2)),
        token_pair((5, 6, 7, 8), (9, 10, 2), (12, 13, 2)),
        token_pair((5, 6, 7, 8), (11, 2), (12, 13, 2)),
    ]
    rows = comparisons(pairs, longest=99)
    assert len(rows) == 2
    together = differences(rows, answer_scores(model, rows))
    alone = scores(model, [sequence for pair in pairs for sequence in pair.sequences])
    expected = [better - worse for better, worse in zip(alone[::2], alone[1::2], strict=True)]
    assert [together[place] for place in range(4)] == pytest.approx(expected, abs=1e-5)


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
    model = load_reward_model(bench.base, learned.adapter, bench.device)
    rows = comparisons(pairs, longest=640)
    right = [each > 0.0 for each in differences(rows, answer_scores(model, rows)).values()]
    assert sum(right) / len(right) == pytest.approx(
        learned.report.figures["validation"]["accuracy"], abs=1e-4
    )


def test_without_pairs_to_judge_it_by_it_is_kept_and_not_trusted(bench: Bench) -> None:
    pairs = [preference(number) for number in range(12)]
    settings = bench.settings.reward.model_copy(update={"counterfactuals": {}, "batch_size": 4})
    alone = learn_rewards(
        Opinions(given=pairs[:6], sampled=pairs[6:]),
        Opinions(given=[]),
        Opinions(given=[]),
        reader(),
        bench.base,
        bench.sft,
        work=bench.folder / "alone",
        run=bench.settings.run,
        settings=settings,
    )
    assert closed(alone.adapter) == "there are no pairs to judge it by"
    assert "validation" not in alone.report.figures
    assert {row.outcome: row.count for row in alone.report.rows}["in"] == 12


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
    assert other["validation"]["accuracy"] == pytest.approx(whole["validation"]["accuracy"], abs=0.12)
