"""Protects how attention is computed: as it is asked for, with equal numbers, and never fused against it."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tasks.errors import TrainingError
from tasks.machine.device import Device
from tasks.methods import METHODS
from tasks.methods.layers.fusing import can_fuse, fuse_layers
from tasks.methods.method import Material
from tasks.methods.parts.base_model import load_base
from tests.conftest import write_tiny_model
from tests.tasks.methods.conftest import rows

CPU = Device(name="cpu", threads=1, precision="float32", attn_implementation="auto")


def test_attention_is_computed_as_asked_and_alike(tiny_base: Path) -> None:
    eager = load_base(tiny_base, replace(CPU, attn_implementation="eager"))
    usual = load_base(tiny_base, CPU)
    assert (eager.config._attn_implementation, usual.config._attn_implementation) == ("eager", "sdpa")
    with torch.no_grad():
        found, expected = (model(input_ids=rows()).logits for model in (eager, usual))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("asked", "fused"), [("auto", True), ("sdpa", True), ("eager", False)])
def test_fused_layers_compute_attention_themselves_only_where_it_is_left_to_them(
    asked: str, fused: bool, tiny_base: Path
) -> None:
    assert can_fuse(tiny_base, asked) is fused
    assert fuse_layers(load_base(tiny_base, CPU), attention=asked) is fused


def test_what_the_machine_lacks_is_told_with_what_to_do(tiny_base: Path) -> None:
    with pytest.raises(TrainingError, match=r"cannot be loaded: .*set run\.attn_implementation to auto"):
        load_base(tiny_base, replace(CPU, attn_implementation="flash_attention_2"))


def test_a_base_has_no_dropout_of_its_own(tmp_path: Path) -> None:
    base = load_base(write_tiny_model(tmp_path, "gpt2"), CPU).train()
    with torch.no_grad():
        one, two = (base(input_ids=rows()).logits for _ in range(2))
    assert torch.equal(one, two)


def test_biases_that_learn_beside_weights_in_bfloat16_are_added_in_float32(tmp_path: Path) -> None:
    base = load_base(write_tiny_model(tmp_path, "qwen2"), replace(CPU, precision="bfloat16"))
    method = METHODS["selective"]
    settings = method.settings(which="norms_and_biases")
    adapted = method.attach(base, settings, Material(tokenizer=None, rows=[]))
    assert {part.dtype for part in adapted.trained().values()} == {torch.float32}
    adapted.model(input_ids=rows(), labels=rows()).loss.backward()
    assert all(part.grad is not None for part in adapted.trained().values())
