"""Protects the search space: all that can be drawn are right settings, and those of params.yaml are there."""

import math
from pathlib import Path

import pytest

from tasks.methods import METHODS
from tasks.methods.lora import LoraSettings
from tasks.methods.selective import SelectiveSettings
from tasks.training.searching.proposals import Candidate, Proposals
from tasks.training.searching.space import SPACE, Among, Between, changed, space_of, sublayers_of

SUBLAYERS = {"self_attn": ["k_proj", "q_proj"], "mlp": ["down_proj"]}


def test_every_method_has_a_space_of_right_settings() -> None:
    assert set(SPACE) == set(METHODS)
    for name, method in METHODS.items():
        own = method.settings.model_validate({})
        for setting, dimension in space_of(name, own, SUBLAYERS).items():
            edges = dimension.values if isinstance(dimension, Among) else (dimension.low, dimension.high)
            for value in edges:
                assert type(changed(own, {setting: value}, SUBLAYERS)) is method.settings


def test_what_params_say_can_be_drawn() -> None:
    own = LoraSettings(rank=24, targets=["v_proj", "q_proj"], learning_rate=0.5)
    space = space_of("lora", own, SUBLAYERS)
    assert space == {
        "rank": Among((4, 8, 16, 32, 64, 24)),
        "targets": Among(("all-linear", "self_attn", "mlp", "v_proj q_proj")),
        "learning_rate": Between(1e-4, 0.5),
    }
    assert changed(own, {"targets": "v_proj q_proj"}, SUBLAYERS) == own


def test_targets_are_the_parts_of_a_layer_and_alpha_follows_the_rank(tiny_base: Path) -> None:
    parts = sublayers_of(tiny_base)
    assert parts == {
        "self_attn": ["k_proj", "o_proj", "q_proj", "v_proj"],
        "mlp": ["down_proj", "gate_proj", "up_proj"],
    }
    drawn = changed(LoraSettings(rank=16, alpha=32), {"rank": 4, "targets": "mlp"}, parts)
    assert drawn == LoraSettings(rank=4, alpha=8, targets=["down_proj", "gate_proj", "up_proj"])


def told(losses: list[float | None]) -> list[Candidate]:
    """What is proposed to a search whose trials end like this."""
    proposals = Proposals({"lora": LoraSettings(), "selective": SelectiveSettings()}, SUBLAYERS, seed=7)
    found = []
    for loss in losses:
        found.append(proposals.ask())
        proposals.tell(found[-1], loss)
    return found


def test_each_method_is_first_tried_as_it_is_set_and_the_same_answers_give_the_same_questions() -> None:
    losses = [2.0, None, *(1.0 + number / 10 for number in range(8))]
    first = told(losses)
    assert [(one.method, one.settings) for one in first[:2]] == [
        ("lora", LoraSettings()),
        ("selective", SelectiveSettings()),
    ]
    assert told(losses) == first
    assert len({str(one.settings) for one in first}) == len(first)


def test_low_losses_draw_the_next_candidates_near() -> None:
    proposals = Proposals({"lora": LoraSettings()}, SUBLAYERS, seed=7)
    distances = []
    for _ in range(40):
        candidate = proposals.ask()
        distances.append(abs(math.log10(candidate.settings.learning_rate / 5e-3)))
        proposals.tell(candidate, distances[-1])
    assert sum(distances[-10:]) < 0.6 * sum(distances[:10])


@pytest.mark.parametrize("value", [1e-9, 1.0])
def test_a_range_grows_to_hold_a_value(value: float) -> None:
    grown = Between(1e-3, 1e-1).including(value)
    assert grown.low <= value <= grown.high
