"""Where a model is trained: threads, device and number format, and the seeds that make a run repeatable."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from deploy.engines.precision import choose_device
from tasks.errors import TrainingError
from tasks.machine.process import cores
from tasks.machine.settings import AttnImplementation, RunSettings

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What a stage computes on.

    `name` is `cpu` or `cuda`, `precision` the format of the frozen weights, `attn_implementation` how
    transformers computes attention.
    """

    name: str
    threads: int
    precision: Literal["float32", "bfloat16"]
    attn_implementation: AttnImplementation = "auto"

    @property
    def dtype(self) -> "torch.dtype":
        """The precision as torch names it."""
        import torch

        return torch.bfloat16 if self.precision == "bfloat16" else torch.float32

    def figures(self) -> dict[str, int | str]:
        """What a report says of it: sums depend on the number of threads."""
        return {"device": self.name, "threads": self.threads, "precision": self.precision}


def set_up_torch(run: RunSettings) -> Device:
    """The device to compute on, after seeding every generator and fixing the threads.

    Raises:
        TrainingError: torch cannot have the number of threads that `run` asks for.
        EngineError: the GPU lacks the precision.
    """
    import os

    import torch
    from transformers import set_seed
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    threads = cores() if run.threads == "auto" else run.threads
    torch.set_num_threads(threads)
    if torch.get_num_threads() != threads:
        raise TrainingError(
            f"run.threads is {threads}, but torch took {torch.get_num_threads()}; set run.threads to that"
        )
    set_seed(run.seed)
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))  # torchrun: a GPU for each process
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS repeats its sums only with it
    torch.use_deterministic_algorithms(True)
    # Deterministic mode also fills every new tensor, which costs time and guards only reads of unset memory.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    name, precision = choose_device(run.precision)
    return Device(
        name=name, threads=threads, precision=precision, attn_implementation=run.attn_implementation
    )
