"""Protects the layers that sft computes with: the numbers of PEFT's and transformers' own."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from deploy.engines.chat import load_tokenizer
from tasks.methods import METHODS
from tasks.methods.method import Material
from tasks.settings import Settings


def test_fused_layers_compute_what_peft_and_transformers_compute(tiny_base: Path, settings: Settings) -> None:
    import torch

    from tasks.machine.device import set_up_torch
    from tasks.methods.layers.fused_llama import fuse_llama
    from tasks.methods.layers.fused_lora import fuse_lora
    from tasks.methods.parts.base_model import load_base
    from tasks.training.tuning.trainer import answer_loss

    model = load_base(tiny_base, set_up_torch(settings.run))
    METHODS["lora"].attach(model, settings.sft.lora, Material(tokenizer=load_tokenizer(tiny_base)))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    ids = torch.randint(3, 200, (3, 40))
    labels = ids.masked_fill(torch.arange(40) < 30, -100)

    def gradients() -> tuple[float, Sequence[torch.Tensor]]:
        loss = answer_loss(model, ids, labels)
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        return loss.item(), torch.autograd.grad(loss, trained)

    plain_loss, plain = gradients()
    whole = model(input_ids=ids, labels=labels).loss.item()
    assert fuse_lora(model) == 3 * 7
    assert fuse_llama(model) == 4 * 4 + 1
    fast_loss, fast = gradients()
    assert fast_loss == pytest.approx(plain_loss, abs=1e-5) == pytest.approx(whole, abs=1e-5)
    for one, other in zip(plain, fast, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize("shared", [0, 11, 39])
def test_a_batch_as_one_sequence_has_the_loss_and_gradients_of_the_padded_one(
    tiny_base: Path, settings: Settings, shared: int
) -> None:
    import torch

    from tasks.machine.device import set_up_torch
    from tasks.methods.layers.fused_llama import fuse_llama
    from tasks.methods.parts.base_model import load_base
    from tasks.training.tuning.trainer import answer_loss

    model = load_base(tiny_base, set_up_torch(settings.run))
    METHODS["lora"].attach(model, settings.sft.lora, Material(tokenizer=load_tokenizer(tiny_base)))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    fuse_llama(model)
    lengths = torch.tensor([40, 33, 47])
    ids = torch.randint(3, 200, (3, 47))
    ids[:, :shared] = ids[0, :shared]
    ends = torch.arange(47) >= lengths.unsqueeze(1)
    ids[ends] = 0
    labels = ids.masked_fill(ends | (torch.arange(47) < lengths.unsqueeze(1) - 5), -100)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]

    padded = answer_loss(model, ids, labels)
    packed = answer_loss(model, ids, labels, lengths=lengths)

    torch.testing.assert_close(packed, padded, atol=1e-5, rtol=1e-5)
    for one, other in zip(
        torch.autograd.grad(padded, trained), torch.autograd.grad(packed, trained), strict=True
    ):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-3)
