"""Protects where QLoRA pages its optimiser's moments, and that a killed training goes on with them."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tasks.errors import TrainingError
from tasks.methods import METHODS
from tasks.methods.method import Adapted
from tasks.methods.qlora import QloraSettings, is_paged
from tasks.training.checkpoint import load, restore, save
from tests.tasks.methods.conftest import MISSING, fresh, material


@pytest.mark.parametrize(
    ("paged", "device", "expected"),
    [
        (None, "cuda", True),
        (None, "cpu", False),
        (True, "cuda", True),
        (True, "meta", False),  # a dry step needs no room for what may leave it
        (False, "cuda", False),
    ],
)
def test_moments_are_paged_where_there_is_a_gpu(paged: bool | None, device: str, expected: bool) -> None:
    assert is_paged(QloraSettings(paged=paged), device) is expected


def test_paging_without_a_gpu_is_refused_before_anything_is_rounded(tiny_base: Path) -> None:
    method = METHODS["qlora"]
    with pytest.raises(TrainingError, match=r"qlora\.paged is true, and the model is on the cpu: .*null"):
        method.attach(fresh(tiny_base), method.settings(rank=4, paged=True), material(tiny_base))


@pytest.mark.skipif("qlora" in MISSING, reason="bitsandbytes is an extra")
@pytest.mark.filterwarnings(
    "ignore:.*[Pp]aged"
)  # a CPU pages nothing: the same optimiser, its moments in place
def test_paged_moments_are_float32_of_what_learns_and_come_back_from_a_checkpoint(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.methods.qlora.is_paged", lambda settings, device: True)
    whole, killed = (attached(tiny_base) for _ in range(2))
    made, schedule = optimizer_of(whole)
    assert (made.is_paged, made.args.optim_bits) == (True, 32)
    step(whole, made, schedule, 1.0)
    step(whole, made, schedule, -0.5)

    first, rates = optimizer_of(killed)
    step(killed, first, rates, 1.0)
    save(tmp_path, killed.trained(), first, rates, step=1, history=[])
    resumed = attached(tiny_base)
    again, rates = optimizer_of(resumed)
    kept = load(tmp_path)
    assert kept is not None
    restore(kept, resumed.trained(), again, rates)
    step(resumed, again, rates, -0.5)
    assert {name: part.tolist() for name, part in resumed.trained().items()} == {
        name: part.tolist() for name, part in whole.trained().items()
    }


def attached(base: Path) -> Adapted:
    method = METHODS["qlora"]
    torch.manual_seed(1)
    return method.attach(fresh(base), method.settings(rank=4), material(base))


def optimizer_of(adapted: Adapted) -> tuple[Any, Any]:
    assert adapted.optimizer is not None
    made: Any = adapted.optimizer(0.01, 0.1)
    assert {id(part) for group in made.param_groups for part in group["params"]} == {
        id(part) for part in adapted.trained().values()
    }
    return made, torch.optim.lr_scheduler.LinearLR(made)


def step(adapted: Adapted, optimizer: Any, schedule: Any, slope: float) -> None:
    for part in adapted.trained().values():
        part.grad = torch.full_like(part, slope)
    optimizer.step()
    schedule.step()
