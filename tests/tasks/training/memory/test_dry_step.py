"""Protects that a dry step is the real one: what learns, and how its memory grows."""

from pathlib import Path

import pytest
import torch

from tasks.methods import METHODS
from tasks.training.memory.batch import Load
from tasks.training.memory.dry_step import DryStep, dry_step
from tasks.training.memory.shape import shape_in, usual_shape
from tests.tasks.methods.conftest import CASES, attached, fresh

QLORA = {"qlora": ("qlora", {"rank": 4})}  # gone through without bitsandbytes


def dry(case: str, base: Path, *, rows: int = 2, length: int = 32, **named: bool | int) -> DryStep:
    name, values = {**CASES, **QLORA}[case]
    load = Load.full(rows=rows, length=length, answers=4 * rows)
    settings = METHODS[name].settings(**values)
    return dry_step(shape_in(base), name, settings, load, dtype=torch.float32, **named)  # type: ignore[arg-type]


@pytest.mark.parametrize("case", CASES)
def test_it_counts_what_learns_as_the_method_does(case: str, tiny_base: Path) -> None:
    found = dry(case, tiny_base)
    real = attached(case, tiny_base)
    assert found.trainable == real.trainable
    assert found.total == sum(part.numel() for part in real.model.parameters()) or case == "qlora"


@pytest.mark.parametrize("case", ["full", "lora", "dora", "prompt", "p_tuning_v2", "pruning wanda", "qlora"])
def test_more_rows_and_longer_ones_need_more(case: str, tiny_base: Path) -> None:
    small, longer, more = (
        dry(case, tiny_base, rows=rows, length=length).step for rows, length in ((2, 64), (2, 128), (4, 64))
    )
    assert small < longer
    assert small < more


@pytest.mark.parametrize("case", ["full", "lora", "adapter", "prompt"])
def test_gradient_checkpointing_needs_less(case: str, tiny_base: Path) -> None:
    plain = dry(case, tiny_base, rows=4, length=128)
    assert dry(case, tiny_base, rows=4, length=128, gradient_checkpointing=True).step < plain.step


def test_gradients_wait_while_steps_are_accumulated(tiny_base: Path) -> None:
    once = dry("full", tiny_base, rows=4, length=128)
    assert dry("full", tiny_base, rows=4, length=128, accumulation=2).step > once.step


def test_four_bits_save_what_they_save_of_the_weights(tiny_base: Path) -> None:
    lora, qlora = dry("lora", tiny_base), dry("qlora", tiny_base)
    linear = sum(
        module.weight.numel()
        for name, module in fresh(tiny_base).named_modules()
        if isinstance(module, torch.nn.Linear) and name != "lm_head"
    )
    assert 0.86 * 4 * linear < lora.weights - qlora.weights < 0.88 * 4 * linear


def test_lora_pro_keeps_moments_as_large_as_the_weights(tiny_base: Path) -> None:
    pro, plain = dry("lora_pro", tiny_base), dry("lora", tiny_base)
    assert pro.moments > 3 * plain.moments


def test_what_autograd_keeps_is_what_is_counted(tiny_base: Path) -> None:
    """The tensors that a real step saves for its way back are a lower bound, and near the count."""
    adapted = attached("full", tiny_base)
    held: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        held[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    known = {part.untyped_storage().data_ptr() for part in adapted.model.parameters()}
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        states = adapted.model.get_decoder()(
            input_ids=torch.ones(4, 128, dtype=torch.long), use_cache=False
        ).last_hidden_state
    saved = sum(size for place, size in held.items() if place not in known)
    assert states.requires_grad
    counted = dry("full", tiny_base, rows=4, length=128).step
    assert 0.5 * saved < counted < 2.5 * saved


def test_it_leaves_the_random_numbers_alone(tiny_base: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    dry("prompt", tiny_base)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("parameters", [135_000_000, 1_100_000_000, 7_000_000_000])
def test_a_usual_shape_has_about_the_size_and_needs_about_as_much_for_its_weights(parameters: int) -> None:
    assert usual_shape(parameters).stored == 2 * parameters
    load = Load.full(rows=1, length=64, answers=4)
    found = dry_step(usual_shape(parameters), "lora", METHODS["lora"].settings(), load, dtype=torch.bfloat16)
    assert 0.85 * parameters < found.total < 1.15 * parameters
    assert 2 * 0.85 * parameters < found.weights < 2 * 1.2 * parameters
