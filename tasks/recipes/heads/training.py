"""Trains a model with a head by a method, with the trainer of transformers. Import this module late."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import AdamW, Optimizer
from transformers import PreTrainedModel, Trainer, TrainingArguments

from deploy.adapters.reading import adapter_files
from tasks.errors import TrainingError
from tasks.machine.device import Device
from tasks.machine.settings import RunSettings
from tasks.methods.method import Adapted, Material, Method, MethodSettings
from tasks.recipes.heads.headed import ADAPTER, HEAD, Headed, Reader, new_head, write_head
from tasks.recipes.settings import HeadSettings
from tasks.training.schedule import Schedule, schedule
from tasks.training.trainers import arguments, on_one_gpu, train
from tasks.training.watching import Watcher, check_finite

Batch = Callable[[Sequence[int]], Any]  # the rows of some numbers, as the reader takes them


def fit(
    model: PreTrainedModel,
    labels: Sequence[str],
    *,
    reader: Reader,
    batch: Batch,
    lengths: Sequence[int],
    method: Method,
    chosen: MethodSettings,
    material: Material,
    settings: HeadSettings,
    run: RunSettings,
    device: Device,
    folder: Path,
) -> dict[str, Any]:
    """Teach `model` by a method the label of each row, write the result, and tell what learnt and its size.

    `lengths` are what the rows weigh.

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
    plan = schedule(lengths, batch_size=settings.batch_size, epochs=settings.epochs, seed=run.seed)
    optimizer = _optimizer(adapted, head, chosen, settings)
    learn(
        headed, batch, targets, plan, optimizer, warmup=settings.warmup, run=run, device=device, work=folder
    )
    adapted.write(folder / ADAPTER)
    method.note(folder / ADAPTER, chosen)
    write_head(headed, folder)
    stored = [folder / ADAPTER / file for file in adapter_files(folder / ADAPTER)]
    return {
        "labels": list(known),
        "steps": plan.steps,
        "trainable_parameters": adapted.trainable + _size(head),
        "total_parameters": adapted.total + _size(head),
        "bytes": sum(path.stat().st_size for path in [*stored, folder / HEAD]),
    }


def learn(
    headed: Headed,
    batch: Batch,
    targets: Tensor,
    plan: Schedule,
    optimizer: Optimizer,
    *,
    warmup: float,
    run: RunSettings,
    device: Device,
    work: Path,
) -> float:
    """Train `headed` by `optimizer`, whose rate rises over a share of the steps, then falls; the last loss.

    `targets` are the numbers of the rows' labels.

    Raises:
        TrainingError: the loss is no number.
    """

    class HeadTrainer(Trainer):
        def compute_loss(self, model: Any, inputs: Any, *_: Any, **__: Any) -> Tensor:  # noqa: ARG002
            rows: list[int] = inputs["rows"].tolist()
            loss = functional.cross_entropy(headed.scores(batch(rows)), targets[rows])
            check_finite(loss.item(), self.state.global_step + 1, work)
            return loss

    given = arguments(plan, batch_size=plan.rows_per_step, warmup=warmup, run=run, device=device, work=work)
    config = TrainingArguments(**given, remove_unused_columns=False)
    on_one_gpu(config)
    trainer = HeadTrainer(
        model=nn.ModuleDict({"model": headed.model, "head": headed.head}),
        args=config,
        train_dataset=list(plan.order),
        data_collator=lambda rows: {"rows": torch.tensor(rows)},
        optimizers=(optimizer, None),
        callbacks=[Watcher(plan, work=work, unit="rows")],
    )
    train(trainer)
    headed.model.eval()
    return float([entry["loss"] for entry in trainer.state.log_history if "loss" in entry][-1])


def _optimizer(
    adapted: Adapted, head: nn.Linear, chosen: MethodSettings, settings: HeadSettings
) -> Optimizer:
    """The method's own optimiser, or AdamW, and another one for the head, which starts from nothing."""
    decay = settings.weight_decay
    if adapted.optimizer is not None:
        own = adapted.optimizer(chosen.learning_rate, decay)
    else:
        own = AdamW(adapted.trained().values(), lr=chosen.learning_rate, weight_decay=decay)
    return Together(own, AdamW(head.parameters(), lr=settings.head_learning_rate, weight_decay=decay))


class Together(Optimizer):
    """Several optimisers that step as one; a schedule reaches the groups of them all."""

    def __init__(self, *parts: Optimizer) -> None:
        super().__init__([group for part in parts for group in part.param_groups], {})
        self._parts = parts

    def step(self, closure: Any = None) -> Any:
        """One step of each, at the rates of their groups here."""
        loss = closure() if closure is not None else None
        groups = iter(self.param_groups)  # no longer the parts' own, once accelerate has loaded a state
        for part in self._parts:
            for own in part.param_groups:
                own["lr"] = next(groups)["lr"]
            part.step()
        return loss


def _size(module: nn.Module) -> int:
    return sum(part.numel() for part in module.parameters())
