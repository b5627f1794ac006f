"""Protects LoRA layers that drop inputs: fused, they drop what PEFT drops and learn what it learns."""

from pathlib import Path

import pytest
import torch

from tasks.methods import METHODS
from tasks.methods.layers.fused_lora import fuse_lora
from tests.tasks.methods.conftest import MISSING, fresh, logits, material, rows

NAMES = [name for name in ("lora", "qlora") if name not in MISSING]


@pytest.mark.parametrize("name", NAMES)
def test_with_dropout_fused_layers_learn_what_pefts_do(name: str, tiny_base: Path) -> None:
    method = METHODS[name]

    def learnt(*, fused: bool) -> tuple[torch.Tensor, list[torch.Tensor]]:
        torch.manual_seed(0)
        adapted = method.attach(fresh(tiny_base), method.settings(rank=4, dropout=0.3), material(tiny_base))
        for part_name, part in adapted.trained().items():
            if "lora_B" in part_name:
                part.data = 0.1 * torch.randn(part.shape)
        if fused:
            assert fuse_lora(adapted.model) == 4 * 7
        adapted.model.train()
        torch.manual_seed(1)  # what is dropped
        found = logits(adapted, rows())
        return found, list(torch.autograd.grad(found.logsumexp(-1).mean(), list(adapted.trained().values())))

    (one, ours), (other, theirs) = learnt(fused=True), learnt(fused=False)
    torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)
    for mine, its in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, its, atol=1e-6, rtol=1e-3)
