"""Protects held layers: for a while they compute faster, the same to the bit, and then as before."""

from pathlib import Path
from typing import Any

import pytest
import torch

from deploy.adapters.packing import can_pack
from tasks.methods.layers.fused_lora import fuse_lora
from tasks.methods.layers.held_lora import held
from tests.conftest import write_random_lora

pytestmark = pytest.mark.skipif(not can_pack(), reason="oneDNN packs bfloat16 on CPUs that multiply it")


@pytest.fixture
def adapted(tiny_base: Path, tmp_path: Path) -> Any:
    """A model in bfloat16 with an adapter in float32 beside it."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.bfloat16)
    folder = write_random_lora(tmp_path, tiny_base, seed=1, spread=0.2)
    model = PeftModel.from_pretrained(base, folder, autocast_adapter_dtype=True, is_trainable=True)
    fuse_lora(model)
    return model


def said(model: Any, rows: int) -> torch.Tensor:
    logits: torch.Tensor = model(input_ids=torch.arange(rows * 7).reshape(rows, 7) % 50).logits
    return logits


def layers(model: Any) -> list[Any]:
    return [module for module in model.modules() if hasattr(module, "lora_A")]


def test_held_layers_say_the_same_to_the_bit(adapted: Any) -> None:
    for rows in (1, 5):
        with torch.no_grad():
            plain = said(adapted, rows)
            with held(layers(adapted)):
                assert torch.equal(said(adapted, rows), plain)


def test_what_is_learned_meanwhile_is_seen_afterwards_alone(adapted: Any) -> None:
    before = [layer.forward for layer in layers(adapted)]
    with torch.no_grad():
        plain = said(adapted, 2)
        with held(layers(adapted)):
            for layer in layers(adapted):
                layer.lora_B["default"].weight.mul_(3.0)
            assert torch.equal(said(adapted, 2), plain)
        assert not torch.equal(said(adapted, 2), plain)
    assert [layer.forward for layer in layers(adapted)] == before


def test_gradients_are_those_of_layers_that_are_not_held(adapted: Any) -> None:
    found = []
    for holding in ([], layers(adapted)):
        adapted.zero_grad()
        with held(holding):
            said(adapted, 2).float().logsumexp(-1).sum().backward()  # type: ignore[no-untyped-call]
        found.append(torch.cat([layer.lora_B["default"].weight.grad.flatten() for layer in layers(adapted)]))
    assert torch.equal(*found)
    assert found[0].any()


def test_other_layers_are_left_alone(adapted: Any) -> None:
    single = adapted.float()
    before = [layer.forward for layer in layers(single)]
    with held(layers(single)):
        assert [layer.forward for layer in layers(single)] == before
