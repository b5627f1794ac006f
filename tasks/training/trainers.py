"""What the stages with TRL's trainers share: their arguments, and training on from a checkpoint."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.errors import TrainingError
from tasks.machine.device import Device
from tasks.machine.process import processes
from tasks.machine.settings import RunSettings
from tasks.training.schedule import Schedule

if TYPE_CHECKING:
    from torch import nn
    from transformers import TrainingArguments

    from tasks.training.checkpoint import Checkpoint

BEST = "best"  # the folder in `work` with the adapter of the lowest validation loss


def on_one_gpu(config: "TrainingArguments") -> None:
    """Keep a trainer to the first GPU where this process sees several, unless torchrun gives each its own.

    It would spread each batch over all of them (`nn.DataParallel`), which TRL refuses and which makes other
    batches than those that were planned.
    """
    if config.n_gpu > 1:
        config._n_gpu = 1


def arguments(
    plan: Schedule, *, batch_size: int, warmup: float, run: RunSettings, device: Device, work: Path
) -> dict[str, Any]:
    """The arguments that trainers have in common, those of TRL and that of transformers.

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


# What the trainers of TRL are given besides.
OF_TRL: dict[str, Any] = {
    "max_length": None,  # nothing is cut or dropped behind our back
    "gradient_checkpointing": None,  # the older name of activation_checkpointing, which TRL turns on
}


class Resumable:
    """Mixed into a trainer: it goes on from the checkpoint `kept`, after which its rows begin."""

    plan: Schedule
    kept: "Checkpoint | None" = None
    learnt: "Callable[[], Mapping[str, nn.Parameter]]"

    def create_scheduler(self: Any, num_training_steps: int, optimizer: Any = None) -> Any:  # noqa: ARG002
        """The schedule of the whole plan, of which fewer steps may be left.

        It is the last to be made before training begins, so all that is kept is taken up here.
        """
        from tasks.training.checkpoint import restore

        scheduler = super().create_scheduler(self.plan.steps, optimizer)  # type: ignore[misc]
        if self.kept:
            restore(self.kept, self.learnt(), self.optimizer, scheduler)
            self.state.global_step, self.state.max_steps = self.kept.step, self.plan.steps
            self.state.log_history = list(self.kept.state.history)
        return scheduler


def train(trainer: Any) -> None:
    """Run `trainer` to its end.

    Raises:
        TrainingError: the memory ran out; the message says what needs less.
    """
    from transformers import PrinterCallback

    trainer.remove_callback(PrinterCallback)  # progress lines say the same
    if getattr(trainer, "kept", None):
        print(f"going on from step {trainer.kept.step} of {trainer.plan.steps}", flush=True)
    try:
        trainer.train()
    except (RuntimeError, MemoryError) as error:
        if not _out_of_memory(error):
            raise
        raise TrainingError(
            "the memory ran out while training; lower batch_size or max_length in params.yaml, or set "
            "sft.gradient_checkpointing: true. The states before it are kept: run again and it goes on"
        ) from None


def _out_of_memory(error: BaseException) -> bool:
    """Whether torch or Python could not get memory; on a CPU torch raises no type of its own for it."""
    said = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in said or "can't allocate memory" in said
