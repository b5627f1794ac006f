"""What happens beside the steps of a training: progress, validation, checkpoints, early stopping.

Import this module late: torch is needed to define it.
"""

# ruff: noqa: ARG002  (transformers calls these methods with all of their arguments)

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import TrainerCallback

from deploy.atomic import replacing
from tasks.errors import TrainingError
from tasks.machine.process import is_first
from tasks.machine.progress import Progress
from tasks.training import checkpoint
from tasks.training.schedule import Schedule, milestones
from tasks.training.trainers import BEST


class Watcher(TrainerCallback):
    """Shows progress, evaluates and saves at milestones, and stops when nothing improves.

    The adapter with the lowest validation loss so far (or the highest figure `best_by`, and of equals the
    lowest loss) lies in `BEST`, where `write` has put it. It is called, and `learnt` is read, within `whole`,
    which every process enters and where what learns can be read. `begun` tells whether the
    first step has come.
    """

    def __init__(
        self,
        plan: Schedule,
        *,
        work: Path,
        unit: str,
        validation_passes: int = 0,
        checkpoints: int = 0,
        patience: int = 0,
        best_by: str = "",
        write: Callable[[Path], None] = lambda _: None,
        learnt: Callable[[], Mapping[str, Tensor]] = dict,
        whole: Callable[[], AbstractContextManager[None]] = nullcontext,
        kept: checkpoint.Checkpoint | None = None,
    ) -> None:
        self._plan, self._work, self._unit, self._patience = plan, work, unit, patience
        self._write, self._learnt, self._whole, self._kept = write, learnt, whole, kept
        self._best_by = best_by
        self._evaluate_at = milestones(plan.steps, validation_passes)
        self._save_at = milestones(plan.steps, checkpoints)
        self.begun = False

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Show where training begins."""
        self.begun = True
        self._progress = Progress(len(self._plan.order), self._unit)
        self._progress.update(len(self._plan.until(state.global_step)))

    def on_step_begin(
        self,
        args: Any,
        state: Any,
        control: Any,
        optimizer: Any = None,
        lr_scheduler: Any = None,
        **_: Any,
    ) -> None:
        """Save what the step before has left, with all that was measured of it, and nothing drawn since."""
        step = state.global_step
        if self._kept and step == self._kept.step:
            checkpoint.restore_generators(self._kept)
        elif step in self._save_at:
            with self._whole():
                checkpoint.save(
                    self._work, self._learnt(), optimizer, lr_scheduler, step=step, history=state.log_history
                )

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """Stop at a gradient that is no number.

        Raises:
            TrainingError: names the parameter and the step.
        """
        for name, parameter in model.named_parameters():
            if parameter.grad is not None and not bool(torch.isfinite(parameter.grad).all()):
                raise TrainingError(
                    f"the gradient of {name} is not finite at step {state.global_step + 1}; "
                    "lower learning_rate in params.yaml and run again"
                )

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        """Log every step, and evaluate at milestones."""
        control.should_log = True
        control.should_evaluate = state.global_step in self._evaluate_at
        return control

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Show the loss."""
        if logs and "loss" in logs:
            self._progress.update(len(self._plan.until(state.global_step)), loss=logs["loss"])

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **_: Any) -> Any:
        """Keep the best adapter; stop after too many evaluations that were no better."""
        check_finite(metrics["eval_loss"], state.global_step, self._work)
        step, value, stale = best_evaluation(state.log_history, by=self._best_by)
        said = f", accuracy {metrics['eval_accuracy']:.3f}" if "eval_accuracy" in metrics else ""
        print(f"step {state.global_step}: validation loss {metrics['eval_loss']:.4f}{said}", flush=True)
        if step == state.global_step:
            with self._whole():
                if is_first():
                    with replacing(self._work / BEST) as folder:
                        self._write(folder)
        if stale >= self._patience and state.global_step < self._plan.steps:
            better = "higher accuracy" if self._best_by else "lower validation loss"
            print(f"stopped early: no {better} than {value:.4f} (step {step})", flush=True)
            control.should_training_stop = True
        return control


def check_finite(loss: float, step: int, work: Path, *, rows: Sequence[str] = ()) -> None:
    """Stop training at a loss that is no number.

    Raises:
        TrainingError: names the step, the `rows` of its batch, and what is left.
    """
    if math.isfinite(loss):
        return
    kept = checkpoint.load(work)
    place = work / checkpoint.FOLDER
    state = f"the state of step {kept.step} is kept in {place}" if kept else "no earlier state was kept"
    batch = f" (rows {', '.join(rows)})" if rows else ""
    raise TrainingError(
        f"the loss is {loss} at step {step}{batch}; {state}; lower learning_rate in params.yaml and run again"
    )


def best_evaluation(history: Sequence[dict[str, Any]], *, by: str = "") -> tuple[int, float, int]:
    """The step with the lowest validation loss, that loss, and how many evaluations came after it.

    With `by` it is the step, and the value, of the highest figure of that name; the loss tells equals apart.
    """
    values = [
        (-entry[by] if by else 0.0, float(entry["eval_loss"]), int(entry["step"]))
        for entry in history
        if "eval_loss" in entry
    ]
    figure, loss, step = min(values)
    return step, -figure if by else loss, sum(other > step for *_, other in values)
