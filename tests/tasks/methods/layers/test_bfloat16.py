"""Protects training beside a base in bfloat16: what learns is float32, and learns what float32 would.

The tiny base's own weights are rounded to bfloat16 in both, so that only the arithmetic differs.
"""

from pathlib import Path

import pytest
import torch
from torch.nn import functional

from tasks.methods import METHODS
from tasks.methods.layers.fused_llama import fuse_llama
from tasks.methods.layers.fused_lora import fuse_lora
from tasks.methods.method import Adapted
from tests.tasks.methods.conftest import CASES, fresh, logits, material, rows, train
from tests.tasks.methods.layers.test_fused_llama import learn

SHORT = [case for case in CASES if not case.startswith("qlora")]  # its base has a dtype of its own

# How alike what is learnt is at least, as a cosine. Adam takes the sign of a gradient; that of A is nothing
# but rounding while B is near 0: B learns sixteen times as fast there, A hardly.
LIKE = {"lora plus": 0.5}


def rounded(case: str, base: Path, dtype: torch.dtype) -> Adapted:
    """The method of a case on the tiny model, rounded to bfloat16 and kept in `dtype`."""
    name, values = CASES[case]
    model = fresh(base).to(torch.bfloat16).to(dtype)
    torch.manual_seed(0)
    method = METHODS[name]
    adapted = method.attach(model, method.settings(**values), material(base))
    adapted.model.eval()
    return adapted


def off_start(adapted: Adapted, size: float) -> Adapted:
    torch.manual_seed(2)
    for parameter in adapted.trained().values():
        parameter.data += size * torch.randn(parameter.shape).to(parameter.dtype)
    return adapted


@pytest.mark.parametrize("case", SHORT)
def test_what_learns_is_float32(case: str, tiny_base: Path) -> None:
    adapted = rounded(case, tiny_base, torch.bfloat16)
    assert {part.dtype for part in adapted.trained().values()} == {torch.float32}


@pytest.mark.parametrize("fused", [False, True], ids=["plain", "fused"])
@pytest.mark.parametrize("case", SHORT)
def test_gradients_point_as_those_of_float32(case: str, fused: bool, tiny_base: Path) -> None:
    found = []
    for dtype in (torch.float32, torch.bfloat16):
        adapted = off_start(rounded(case, tiny_base, dtype), 0.02)
        if fused:
            fuse_lora(adapted.model)
            fuse_llama(adapted.model)
        loss, gradients = learn(adapted, packed=fused)
        found.append((loss, torch.cat([gradients[name].flatten() for name in sorted(gradients)])))
    (exact, whole), (short, other) = found
    assert short == pytest.approx(exact, rel=0.02)
    assert functional.cosine_similarity(whole, other, dim=0) > 0.97


@pytest.mark.parametrize("case", ["lora", "rslora", "lora_pro"])
def test_a_small_adapter_has_its_effect(case: str, tiny_base: Path) -> None:
    """Added into weights of bfloat16, most of an adapter this small would be rounded away."""
    effects = []
    for dtype in (torch.float32, torch.bfloat16):
        adapted = rounded(case, tiny_base, dtype)
        fuse_lora(adapted.model)
        layer = next(module for module in adapted.model.modules() if hasattr(module, "lora_A"))
        x = torch.randn(8, layer.in_features, generator=torch.Generator().manual_seed(3)).to(dtype)
        with torch.no_grad():
            before = layer(x)
            for name, part in layer.named_parameters():
                if "lora_B" in name:
                    part.data = 1e-3 * torch.randn(part.shape, generator=torch.Generator().manual_seed(4))
            # A wide sum hides a narrow one behind its own rounding: take the base's part away first.
            layer.base_layer.weight.data.zero_()
            effects.append(layer(x).float())
        assert before.dtype == dtype
    assert (effects[1] - effects[0]).norm() < 0.02 * effects[0].norm()


@pytest.mark.parametrize("case", SHORT)
def test_it_learns_as_far_as_in_float32_and_the_same(case: str, tiny_base: Path) -> None:
    ended, learnt = [], []
    for dtype in (torch.float32, torch.bfloat16):
        adapted = rounded(case, tiny_base, dtype)
        before = {name: part.detach().clone() for name, part in adapted.trained().items()}
        ended.append(train(adapted, steps=6)[-1])
        after = adapted.trained()
        learnt.append(torch.cat([(after[name].detach() - before[name]).flatten() for name in sorted(before)]))
    assert ended[1] == pytest.approx(ended[0], rel=0.03)
    assert functional.cosine_similarity(*learnt, dim=0) > LIKE.get(case, 0.85)


def test_the_loss_is_finite_on_rows(tiny_base: Path) -> None:
    assert torch.isfinite(logits(rounded("lora", tiny_base, torch.bfloat16), rows())).all()
