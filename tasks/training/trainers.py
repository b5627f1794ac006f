"""What the stages with TRL's trainers share: arguments, whole checkpoints, progress, early stopping."""

# ruff: noqa: ARG002  (transformers calls these methods with all of their arguments)

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.atomic import remove, replacing, write_json
from tasks.errors import TrainingError
from tasks.machine.device import Device
from tasks.machine.process import is_first, processes
from tasks.machine.progress import Progress
from tasks.machine.settings import RunSettings
from tasks.training.schedule import Schedule, milestones

if TYPE_CHECKING:
    from transformers import TrainerCallback

WHOLE = "whole.json"
BEST = "best"  # the folder in `work` with the adapter of the lowest validation loss


def arguments(
    plan: Schedule, *, batch_size: int, warmup: float, run: RunSettings, device: Device, work: Path
) -> dict[str, Any]:
    """The arguments that the trainers of all stages have in common.

    A batch is shared out evenly among the processes that torchrun has started. `warmup` is a share of the
    steps.

    Raises:
        TrainingError: it cannot be.
    """
    if batch_size % processes():
        raise TrainingError(
            f"batch_size {batch_size} cannot be shared out evenly among {processes()} processes; make it a "
            "multiple, or start another number of them"
        )
    return {
        "output_dir": str(work),
        "per_device_train_batch_size": batch_size // processes(),
        "per_device_eval_batch_size": batch_size,
        "gradient_accumulation_steps": plan.rows_per_step // batch_size,
        "num_train_epochs": 1,  # the order already holds every epoch
        "train_sampling_strategy": "sequential",
        "seed": run.seed,
        "data_seed": run.seed,
        "lr_scheduler_type": "cosine",
        "warmup_steps": round(warmup * plan.steps),
        "max_length": None,  # nothing is cut or dropped behind our back
        "gradient_checkpointing": None,  # the older name of the next line, which TRL turns on
        "activation_checkpointing": False,  # trades time for memory; an adapter leaves memory enough
        "use_cpu": device.name == "cpu",
        "ddp_backend": "gloo" if device.name == "cpu" and processes() > 1 else None,
        "ddp_find_unused_parameters": False,  # what learns is in every forward pass
        "bf16": False,  # the frozen weights are already in the device's precision, the adapter stays float32
        "eval_strategy": "no",  # the watcher says when to evaluate and to save
        "save_strategy": "no",
        "logging_strategy": "no",
        "logging_nan_inf_filter": False,
        "prediction_loss_only": True,
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": device.name == "cuda",
    }


class Resumable:
    """Mixed into a trainer: a checkpoint holds the adapter and the state, and is marked when whole."""

    def _save(self: Any, output_dir: str | None = None, state_dict: Any = None) -> None:
        self.model.save_pretrained(output_dir)  # no pickled arguments and no tokenizer beside it

    def _save_checkpoint(self: Any, model: Any, trial: Any) -> None:
        from transformers import Trainer

        Trainer._save_checkpoint(self, model, trial)  # TRL would write a model card before
        self.accelerator.wait_for_everyone()  # each process writes the state of its generators
        if is_first():
            mark_whole(Path(self.args.output_dir), self.state.global_step)
        self.accelerator.wait_for_everyone()


def train(trainer: Any, work: Path, total: int) -> int:
    """Run `trainer` to its end, from the newest checkpoint in `work` if any; the step it began at.

    Raises:
        TrainingError: the memory ran out; the message says what needs less.
    """
    from transformers import PrinterCallback

    trainer.remove_callback(PrinterCallback)  # progress lines say the same
    with trainer.args.main_process_first():
        point = resume_point(work)
    if point:
        print(f"going on from step {_step(point)} of {total}", flush=True)
    try:
        trainer.train(resume_from_checkpoint=str(point) if point else None)
    except (RuntimeError, MemoryError) as error:
        if not _out_of_memory(error):
            raise
        raise TrainingError(
            "the memory ran out while training; lower batch_size or max_length in params.yaml, or set "
            "sft.gradient_checkpointing: true. The states before it are kept: run again and it goes on"
        ) from None
    return _step(point) if point else 0


def _out_of_memory(error: BaseException) -> bool:
    """Whether torch or Python could not get memory; on a CPU torch raises no type of its own for it."""
    said = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in said or "can't allocate memory" in said


def resume_point(work: Path) -> Path | None:
    """The newest whole checkpoint in `work`; half-written ones are removed."""
    found: list[Path] = []
    for folder in work.glob("checkpoint-*"):
        if (folder / WHOLE).is_file():
            found.append(folder)
        else:
            remove(folder)
    return max(found, key=_step, default=None)


def mark_whole(work: Path, step: int) -> None:
    """Say that the checkpoint of `step` is complete, then remove the older ones."""
    folder = work / f"checkpoint-{step}"
    write_json(folder / WHOLE, {"step": step})
    for other in work.glob("checkpoint-*"):
        if other != folder:
            remove(other)


def checked_loss(value: float, step: int, work: Path, *, rows: Sequence[str] = ()) -> None:
    """Nothing; but a loss that is no number stops training.

    Raises:
        TrainingError: names the step, the `rows` of its batch, and what is left.
    """
    if math.isfinite(value):
        return
    kept = resume_point(work)
    state = f"the state of step {_step(kept)} is kept in {kept}" if kept else "no earlier state was kept"
    batch = f" (rows {', '.join(rows)})" if rows else ""
    raise TrainingError(
        f"the loss is {value} at step {step}{batch}; {state}; "
        "lower learning_rate in params.yaml and run again"
    )


def best_evaluation(history: Sequence[dict[str, Any]]) -> tuple[int, float, int]:
    """The step with the lowest validation loss, that loss, and how many evaluations came after it."""
    values = [(int(entry["step"]), float(entry["eval_loss"])) for entry in history if "eval_loss" in entry]
    step, value = min(values, key=lambda pair: pair[1])
    return step, value, sum(other > step for other, _ in values)


def watcher(
    plan: Schedule,
    *,
    unit: str,
    evaluations: int,
    checkpoints: int,
    patience: int,
    write: Callable[[Path], None],
    whole: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> "TrainerCallback":
    """A callback that shows progress, evaluates and saves at milestones, and stops when nothing improves.

    The adapter with the lowest validation loss so far lies in `BEST`, where `write` has put it. It is called
    within `whole`, which every process enters and where what learns can be read.
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

        def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **_: Any) -> Any:
            checked_loss(metrics["eval_loss"], state.global_step, Path(args.output_dir))
            step, value, stale = best_evaluation(state.log_history)
            print(f"step {state.global_step}: validation loss {metrics['eval_loss']:.4f}", flush=True)
            if step == state.global_step:
                with whole():
                    if is_first():
                        with replacing(Path(args.output_dir) / BEST) as folder:
                            write(folder)
            if stale >= patience and state.global_step < plan.steps:
                print(f"stopped early: no lower validation loss than {value:.4f} (step {step})", flush=True)
                control.should_training_stop = True
            return control

    return Watcher()


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])
