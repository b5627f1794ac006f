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
Learned = tuple[float, dict[str, torch.Tensor]]


def batch(shared: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows with so many first tokens in common, padded, and their labels: the last five tokens of each."""
    ids = torch.randint(3, 200, (3, 25), generator=torch.Generator().manual_seed(1))
    ids[:, :shared] = ids[0, :shared]
    places = torch.arange(25)
    ends = places >= LENGTHS.unsqueeze(1)
    ids[ends] = 0
    return ids, ids.masked_fill(ends | (places < LENGTHS.unsqueeze(1) - 5), -100)


def moved(case: str, base: Path) -> Adapted:
    """A method with every number that learns off its start."""
    adapted = attached(case, base)
    torch.manual_seed(2)
    for parameter in adapted.trained().values():
        parameter.data += 0.05 * torch.randn_like(parameter)
    return adapted


def learn(adapted: Adapted, *, shared: int = 9, packed: bool = False) -> Learned:
    """The loss of a batch and its gradients."""
    ids, labels = batch(shared)
    lengths = LENGTHS if packed else None
    loss = answer_loss(adapted.model, ids, labels, lengths=lengths, hidden=adapted.hidden)
    loss.backward()  # type: ignore[no-untyped-call]
    gradients = {name: part.grad for name, part in adapted.trained().items() if part.grad is not None}
    return loss.item(), gradients


def assert_learned_alike(plain: Learned, fast: Learned) -> None:
    """The losses are equal, and the gradients of all that learns, up to rounding."""
    assert fast[0] == pytest.approx(plain[0], abs=1e-5)
    assert plain[1].keys() == fast[1].keys()
    assert plain[1]
    for name, gradient in plain[1].items():
        torch.testing.assert_close(
            fast[1][name], gradient, atol=1e-5, rtol=1e-3, msg=lambda m, n=name: f"{n}: {m}"
        )


@pytest.mark.parametrize(
    ("case", "shared"), [*((case, 9) for case in able("packing")), ("lora", 0), ("lora", 24)]
)
def test_one_sequence_has_the_loss_and_gradients_of_the_padded_batch(
    case: str, shared: int, tiny_base: Path
) -> None:
    fused = moved(case, tiny_base)
    fuse_lora(fused.model)
    assert fuse_llama(fused.model) > 0
    plain = learn(moved(case, tiny_base), shared=shared)
    assert_learned_alike(plain, learn(fused, shared=shared, packed=True))


def test_fused_layers_compute_what_peft_and_transformers_compute(tiny_base: Path) -> None:
    whole, fused = moved("lora", tiny_base), moved("lora", tiny_base)
    assert fuse_lora(fused.model) == 4 * 7
    assert fuse_llama(fused.model) == 4 * 4 + 1
    plain = learn(whole)
    assert_learned_alike(plain, learn(fused))
    ids, labels = batch(9)
    assert plain[0] == pytest.approx(whole.model(input_ids=ids, labels=labels).loss.item(), abs=1e-5)
