"""What every training stage shares: the order of rows, milestones, checkpoints, progress, early stopping.

The order of the rows is drawn before training starts, so that a killed run goes on with the very batches
that it would have had, and every trained token can be counted beforehand.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.atomic import remove, replacing, write_json
from tasks.errors import TrainingError
from tasks.progress import Progress

if TYPE_CHECKING:
    from transformers import TrainerCallback

POOL = 12  # batches of rows that are sorted by length together: little padding, yet mixed batches
WHOLE = "whole.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The rows in the order in which they are trained on, and how many make a step."""

    order: tuple[int, ...]
    rows_per_step: int

    @property
    def steps(self) -> int:
        """How many optimiser steps a whole run has."""
        return math.ceil(len(self.order) / self.rows_per_step)

    def until(self, step: int) -> tuple[int, ...]:
        """The rows that have been trained on after `step` steps, repeated as often as they were."""
        return self.order[: step * self.rows_per_step]


def schedule(
    lengths: Sequence[int], *, batch_size: int, accumulation: int = 1, epochs: int = 1, seed: int
) -> Schedule:
    """A seeded order in which the rows of a batch are of about one length, so that little is padded."""
    drawn = random.Random(seed)
    order: list[int] = []
    for _ in range(epochs):
        epoch = list(range(len(lengths)))
        drawn.shuffle(epoch)
        order += epoch
    pooled: list[int] = []
    for start in range(0, len(order), POOL * batch_size):
        pool = sorted(order[start : start + POOL * batch_size], key=lambda row: (lengths[row], row))
        batches = [pool[at : at + batch_size] for at in range(0, len(pool), batch_size)]
        short = [batches.pop()] if len(batches[-1]) < batch_size else []
        drawn.shuffle(batches)
        pooled += [row for batch in [*batches, *short] for row in batch]
    return Schedule(order=tuple(pooled), rows_per_step=batch_size * accumulation)


def milestones(total: int, count: int) -> frozenset[int]:
    """`count` steps spread evenly over 1..`total`, the last one among them."""
    return frozenset(max(1, round(total * part / count)) for part in range(1, count + 1))


def best_evaluation(history: Sequence[dict[str, Any]], name: str = "eval_loss") -> tuple[int, float, int]:
    """The step with the lowest value of `name`, that value, and how many evaluations came after it."""
    values = [(int(entry["step"]), float(entry[name])) for entry in history if name in entry]
    step, value = min(values, key=lambda pair: pair[1])
    return step, value, sum(1 for other, _ in values if other > step)


def resume_point(work: Path) -> Path | None:
    """The newest whole checkpoint in `work`; half-written ones are removed."""
    found: list[tuple[int, Path]] = []
    for folder in work.glob("checkpoint-*"):
        if (folder / WHOLE).is_file():
            found.append((int(folder.name.rpartition("-")[2]), folder))
        else:
            remove(folder)
    return max(found)[1] if found else None


def mark_whole(work: Path, step: int) -> None:
    """Say that the checkpoint of `step` is complete, then remove the older ones."""
    folder = work / f"checkpoint-{step}"
    write_json(folder / WHOLE, {"step": step})
    for other in work.glob("checkpoint-*"):
        if other != folder:
            remove(other)


def train(trainer: Any, work: Path, total: int) -> None:
    """Run `trainer` to its end, from the newest checkpoint in `work` if there is one."""
    point = resume_point(work)
    if point:
        print(f"going on from step {point.name.rpartition('-')[2]} of {total}", flush=True)
    trainer.train(resume_from_checkpoint=str(point) if point else None)


def checked_loss(value: float, step: int, work: Path) -> None:
    """Stop training at a loss that is no number.

    Raises:
        TrainingError: names the step and what is left.
    """
    if not math.isfinite(value):
        kept = resume_point(work)
        state = (
            f"the state of step {kept.name.rpartition('-')[2]} is kept in {kept}"
            if kept
            else "no state is kept"
        )
        raise TrainingError(
            f"the loss is {value} at step {step}; {state}; lower learning_rate in params.yaml and run again"
        )


def watcher(
    plan: Schedule, *, unit: str, evaluations: int, checkpoints: int, patience: int, best: Path | None
) -> "TrainerCallback":
    """A callback that shows progress, evaluates and saves at milestones, and stops when nothing improves.

    `best` is the folder that holds the adapter with the lowest validation loss so far; None: not kept.
    """
    import torch
    from transformers import TrainerCallback

    evaluate_at, save_at = milestones(plan.steps, evaluations), milestones(plan.steps, checkpoints)

    class Watcher(TrainerCallback):
        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.progress = Progress(len(plan.order), unit)
            self.progress.update(len(plan.until(state.global_step)))

        def on_pre_optimizer_step(
            self, args: Any, state: Any, control: Any, model: Any = None, **_: Any
        ) -> None:
            for name, parameter in model.named_parameters():
                if parameter.grad is not None and not bool(torch.isfinite(parameter.grad).all()):
                    raise TrainingError(
                        f"the gradient of {name} is not finite at step {state.global_step + 1}; "
                        "lower learning_rate in params.yaml and run again"
                    )

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
            control.should_log = True
            control.should_evaluate = state.global_step in evaluate_at
            control.should_save = state.global_step in save_at and state.global_step < plan.steps
            return control

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if logs and "loss" in logs:
                self.progress.update(len(plan.until(state.global_step)), loss=logs["loss"])

        def on_evaluate(
            self, args: Any, state: Any, control: Any, model: Any = None, metrics: Any = None, **_: Any
        ) -> Any:
            checked_loss(metrics["eval_loss"], state.global_step, Path(args.output_dir))
            step, value, stale = best_evaluation(state.log_history)
            print(f"step {state.global_step}: validation loss {metrics['eval_loss']:.4f}", flush=True)
            if best is not None and step == state.global_step:
                with replacing(best) as folder:
                    model.save_pretrained(folder)
            if stale >= patience and state.global_step < plan.steps:
                print(f"stopped early: no lower validation loss than {value:.4f} (step {step})", flush=True)
                control.should_training_stop = True
            return control

    return Watcher()
