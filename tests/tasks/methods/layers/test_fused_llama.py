"""Protects the fast way of training: for every method its losses and gradients are those of the plain way.

It is the cell `packing` of the table of methods.
"""

from pathlib import Path

import pytest
import torch

from tasks.methods.layers.fused_llama import fuse_llama
from tasks.methods.layers.fused_lora import fuse_lora
from tasks.methods.method import Adapted
from tasks.training.tuning.trainer import answer_loss
from tests.tasks.methods.conftest import attached
from tests.tasks.methods.test_abilities import able

LENGTHS = torch.tensor([20, 14, 25])
SHARED = 9  # tokens that all rows begin with


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Rows that begin alike, padded on the right, and their labels: the last five tokens of each."""
    ids = torch.randint(3, 200, (3, 25), generator=torch.Generator().manual_seed(1))
    ids[:, :SHARED] = ids[0, :SHARED]
    places = torch.arange(25)
    ends = places >= LENGTHS.unsqueeze(1)
    ids[ends] = 0
    return ids, ids.masked_fill(ends | (places < LENGTHS.unsqueeze(1) - 5), -100)


def learn(adapted: Adapted, *, fast: bool) -> tuple[float, dict[str, torch.Tensor]]:
    """The loss of a batch and its gradients; every number that learns is moved off its start first."""
    torch.manual_seed(2)
    for parameter in adapted.trained().values():
        parameter.data += 0.05 * torch.randn_like(parameter)
    if fast:
        fuse_lora(adapted.model)
        assert fuse_llama(adapted.model) > 0
    ids, labels = batch()
    loss = answer_loss(adapted.model, ids, labels, lengths=LENGTHS if fast else None, hidden=adapted.hidden)
    loss.backward()  # type: ignore[no-untyped-call]
    gradients = {name: part.grad for name, part in adapted.trained().items() if part.grad is not None}
    return loss.item(), gradients


@pytest.mark.parametrize("case", able("packing"))
def test_one_sequence_has_the_loss_and_gradients_of_the_padded_batch(case: str, tiny_base: Path) -> None:
    plain_loss, plain = learn(attached(case, tiny_base), fast=False)
    fast_loss, fast = learn(attached(case, tiny_base), fast=True)
    assert fast_loss == pytest.approx(plain_loss, abs=2e-5)
    assert plain.keys() == fast.keys()
    assert plain
    for name, gradient in plain.items():
        torch.testing.assert_close(
            fast[name], gradient, atol=2e-5, rtol=2e-3, msg=lambda m, n=name: f"{n}: {m}"
        )
