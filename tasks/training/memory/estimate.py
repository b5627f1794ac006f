"""What a training run will need at its peak, told before it starts.

The tensors are counted in a dry step (`dry_step`). What they do not show is measured, as constants: what a
process takes that has imported and used the libraries, and how much heap a byte of tensors takes.
`python -m benchmarks.memory` sets the estimates beside what is measured.
"""

from dataclasses import dataclass
from typing import Literal

from tasks.machine.memory import MIB
from tasks.machine.process import processes
from tasks.methods import METHODS
from tasks.training.memory.batch import Load
from tasks.training.memory.shape import ModelShape
from tasks.training.settings import SftSettings

# Python with torch, transformers, TRL and PEFT imported, a tokenizer and the thread pool, before any model.
PROCESS = 570 * MIB
# CUDA's context and the libraries' workspaces on a GPU. Taken from what CUDA 12 and 13 are known for; not
# measured here.
CONTEXT = 600 * MIB
# What a process takes besides once it trains: buffers into which kernels pack matrices, and the hole that
# loading leaves. Fitted, with `SLACK`, to runs of several methods of 512 to 2560 tokens a step on two cores.
WORKING = 200 * MIB
# Bytes of heap for a byte of tensors: `machine.process.ALLOCATOR` keeps one heap, which has holes between
# tensors of different life.
SLACK = 1.06

Peak = Literal["loading", "training", "writing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The peak memory of a run in bytes, its parts, and when it is reached; and how many numbers learn."""

    peak: int
    reached: Peak
    process: int
    weights: int
    moments: int
    step: int
    trainable: int
    total: int

    @property
    def mib(self) -> int:
        """The peak in MiB."""
        return round(self.peak / MIB)

    def sentence(self) -> str:
        """The estimate with what makes it up."""
        parts = {
            "process": self.process,
            "weights": self.weights,
            "optimiser": self.moments,
            "activations and gradients": self.step,
        }
        told = ", ".join(f"{name} {size / MIB:,.0f}" for name, size in parts.items())
        return f"{self.mib:,} MiB ({told}; reached while {self.reached})"


def estimate(
    shape: ModelShape, settings: SftSettings, load: Load, *, device: str, precision: str, held: int = 0
) -> Estimate:
    """The peak memory of a run of `sft` on a model of a shape, whose heaviest batch is `load`.

    `held` are bytes that the process has taken for other things, such as an index. On a GPU the estimate is
    of its memory.
    """
    import torch

    from tasks.training.memory.dry_step import dry_step

    parts = settings.parts(processes())
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    found = dry_step(
        shape,
        settings.method,
        settings.chosen,
        load,
        dtype=dtype,
        fuse_lora=not parts,
        gradient_checkpointing=settings.gradient_checkpointing,
        accumulation=settings.accumulation,
    )
    process = CONTEXT if device == "cuda" else PROCESS + WORKING + held
    shards = processes() if parts else 1
    zero = settings.deepspeed is not None and settings.deepspeed.stage > 0  # each stage spreads the moments
    weights, optimiser = found.weights // shards, found.moments // (processes() if zero else shards)
    kept = weights + optimiser
    # Weights in four bits are rounded one by one as they are read.
    loaded = found.weights if METHODS[settings.method].load else found.total * dtype.itemsize
    moments: dict[Peak, int] = {
        # The file is mapped while its numbers are brought into the format that is trained in. Weights to be
        # spread over processes are whole in the memory of the CPU, and come to a GPU in parts.
        "loading": loaded // shards if device == "cuda" else loaded + shape.stored,
        "training": round(SLACK * (kept + found.step)),
        "writing": round(SLACK * (kept + (0 if device == "cuda" else found.written))),
    }
    reached = max(moments, key=lambda name: moments[name])
    return Estimate(
        peak=process + moments[reached],
        reached=reached,
        process=process,
        weights=weights,
        moments=optimiser,
        step=found.step,
        trainable=found.trainable,
        total=found.total,
    )
