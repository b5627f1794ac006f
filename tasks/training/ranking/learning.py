"""Trains what ranks, and leaves it in the state in which questions that it has not learned from rank best.

Import this module late: torch is needed for it.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from math import ceil, isfinite
from typing import Any

import torch
from torch import Tensor, nn
from transformers import get_linear_schedule_with_warmup

from tasks.errors import TrainingError
from tasks.machine.device import Device
from tasks.machine.progress import Progress
from tasks.training.schedule import Schedule, milestones
from tasks.training.settings import RankingSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One look at the questions that choose the state: their mean reciprocal rank after `step` steps."""

    step: int
    loss: float | None
    mrr: float


def best_state(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    order: Schedule,
    *,
    loss: Callable[[Sequence[int]], Tensor],
    judge: Callable[[], float],
    settings: RankingSettings,
    stage: str,
) -> list[dict[str, Any]]:
    """Train `model`, which is left in the state that `judge` has found best; the passes over the time.

    `loss` is that of the rows at some places, `judge` says how well the model ranks now, higher is better.
    Training stops early where that has not risen for `patience` passes.

    Raises:
        TrainingError: the loss is no number.
    """
    looked_at = milestones(order.steps, settings.validation_passes)
    rates = get_linear_schedule_with_warmup(optimizer, ceil(settings.warmup * order.steps), order.steps)
    passes = [Pass(step=0, loss=None, mrr=judge())]
    best, kept, losses = passes[0], _learned(model), list[float]()
    progress = Progress(order.steps, "steps")
    for step in range(1, order.steps + 1):
        model.train()  # a judge has asked it
        found = loss(order.at(step - 1))
        losses.append(found.item())
        if not isfinite(losses[-1]):
            raise TrainingError(
                f"the loss of {stage} is {losses[-1]} at step {step}; lower {stage}.learning_rate "
                f"({settings.learning_rate:g})"
            )
        optimizer.zero_grad()
        found.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        rates.step()
        progress.update(step, loss=losses[-1])
        if step in looked_at:
            passes.append(Pass(step=step, loss=round(sum(losses) / len(losses), 4), mrr=judge()))
            losses.clear()
            if passes[-1].mrr > best.mrr:
                best, kept = passes[-1], _learned(model)
            elif len(passes) - 1 - passes.index(best) >= settings.patience:
                break
    model.load_state_dict(kept, strict=False)
    return [{**asdict(each), "mrr": round(each.mrr, 4), "kept": each is best} for each in passes]


def numbers(device: Device) -> torch.autocast:
    """Products in bfloat16 where the device multiplies it."""
    return torch.autocast(device.name, torch.bfloat16, enabled=device.precision == "bfloat16")


def _learned(model: nn.Module) -> dict[str, Tensor]:
    return {name: each.detach().clone() for name, each in model.named_parameters() if each.requires_grad}
