"""Protects how attention is computed: as it is asked for, with equal numbers, and never fused against it."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tasks.errors import TrainingError
from tasks.machine.device import Device
from tasks.methods.layers.fusing import can_fuse, fuse_layers
from tasks.methods.parts.base_model import load_base
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
