"""Trains a model with a head by a method. Import this module late: torch is needed."""

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional
from torch.optim import AdamW, Optimizer
from transformers import PreTrainedModel

from deploy.adapters.reading import adapter_files
from tasks.errors import TrainingError
from tasks.machine.progress import Progress
from tasks.methods.method import Adapted, Material, Method, MethodSettings
from tasks.recipes.heads.headed import ADAPTER, HEAD, Headed, Reader, new_head, write_head
from tasks.recipes.settings import HeadSettings
from tasks.training.schedule import Schedule, schedule


def fit(
    model: PreTrainedModel,
    labels: Sequence[str],
    *,
    reader: Reader,
    batch: Callable[[Sequence[int]], Any],
    lengths: Sequence[int],
    method: Method,
    chosen: MethodSettings,
    material: Material,
    settings: HeadSettings,
    seed: int,
    folder: Path,
) -> dict[str, Any]:
    """Teach `model` by a method the label of each row, write the result, and tell what learnt and its size.

    `batch` gives the rows of some numbers as the reader takes them, `lengths` what each weighs.

    Raises:
        TrainingError: there are fewer than two labels, or the loss is no number.
    """
    known = sorted(set(labels))
    if len(known) < 2:
        raise TrainingError(f"there is nothing to tell apart: the only label is {', '.join(known) or 'none'}")
    adapted = method.attach(model, chosen, material)
    head = new_head(model, len(known))
    states = reader(adapted.model, None, adapted.hidden)
    headed = Headed(model=adapted.model, states=states, head=head, labels=tuple(known))
    targets = torch.tensor([known.index(label) for label in labels], device=model.device)
    plan = schedule(lengths, batch_size=settings.batch_size, epochs=settings.epochs, seed=seed)
    adapted.model.train()
    _train(headed, batch, targets, plan, _optimizers(adapted, head, chosen, settings), settings)
    adapted.model.eval()
    adapted.write(folder / ADAPTER)
    method.note(folder / ADAPTER, chosen)
    write_head(headed, folder)
    learning = adapted.trainable + sum(part.numel() for part in head.parameters())
    total = adapted.total + head.weight.numel() + head.bias.numel()
    stored = [folder / ADAPTER / file for file in adapter_files(folder / ADAPTER)]
    return {
        "labels": list(known),
        "steps": plan.steps,
        "trainable_parameters": learning,
        "total_parameters": total,
        "bytes": sum(path.stat().st_size for path in [*stored, folder / HEAD]),
    }


def _optimizers(
    adapted: Adapted, head: torch.nn.Linear, chosen: MethodSettings, settings: HeadSettings
) -> list[Optimizer]:
    """The method's own optimiser, or AdamW, and one for the head, which starts from nothing."""
    decay = settings.weight_decay
    if adapted.optimizer is not None:
        own = adapted.optimizer(chosen.learning_rate, decay)
    else:
        own = AdamW(adapted.trained().values(), lr=chosen.learning_rate, weight_decay=decay)
    return [own, AdamW(head.parameters(), lr=settings.head_learning_rate, weight_decay=decay)]


def _train(
    headed: Headed,
    batch: Callable[[Sequence[int]], Any],
    targets: torch.Tensor,
    plan: Schedule,
    optimizers: Iterable[Optimizer],
    settings: HeadSettings,
) -> None:
    """Warm up, then let the rate fall as a cosine does, as the stages of the chain do."""
    groups = [(group, group["lr"]) for optimizer in optimizers for group in optimizer.param_groups]
    warm = math.ceil(settings.warmup * plan.steps)
    progress = Progress(len(plan.order), "rows")
    for step in range(plan.steps):
        rows = plan.at(step)
        part = (step + 1) / warm if step < warm else _cosine((step - warm) / max(1, plan.steps - warm))
        for group, rate in groups:
            group["lr"] = rate * part
        loss = functional.cross_entropy(headed.scores(batch(rows)), targets[list(rows)])
        if not bool(torch.isfinite(loss)):
            raise TrainingError(
                f"the loss is {loss.item()} at step {step + 1}; lower learning_rate or head_learning_rate in "
                "params.yaml and run again"
            )
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        for optimizer in optimizers:
            optimizer.step()
        progress.update(len(plan.until(step + 1)), loss=loss.item())


def _cosine(share: float) -> float:
    return 0.5 * (1.0 + math.cos(math.pi * share))
