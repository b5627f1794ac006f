"""Training with the weights spread over processes (FSDP; Zhao et al. 2023, arXiv:2304.11277).

Each process keeps a part of every weight, of its gradient and of the optimiser's state; a layer is whole only
while it computes. PyTorch's `fully_shard` does it, the same on GPUs and on CPUs. What is written is gathered
first, so files do not tell how many processes there were.

Import this module late: torch is needed to define it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor

from tasks.machine.device import Device
from tasks.machine.process import processes
from tasks.training.checkpoint import gathered
from tasks.training.spread import FsdpSettings

PATIENCE = timedelta(minutes=30)  # for a process that still writes rows or reads a model


def shard(model: Any, device: Device, settings: FsdpSettings) -> None:
    """Leave this process its part of `model`, on `device`; layers are gathered when their turn comes.

    `model` is a PreTrainedModel with its adapter, the same in every process, in the memory of the CPU. After
    it the parameters are other objects under the same names, and only a call of `model` gathers them.
    """
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group("nccl" if device.name == "cuda" else "gloo", timeout=PATIENCE)
    mesh = init_device_mesh(device.name, (processes(),))
    blocks = set(model._no_split_modules)
    for module in [part for part in model.modules() if type(part).__name__ in blocks]:
        fully_shard(module, mesh=mesh, reshard_after_forward=settings.reshard_after_forward)
    fully_shard(model, mesh=mesh)
    # Tells transformers' trainer that the model owns its place and its gradients: it moves and wraps nothing.
    model._is_distributed_loading_by_transformers = True


@contextmanager
def whole(model: nn.Module) -> Iterator[None]:
    """Within, what learns is whole, in the memory of the CPU, in every process; all of them have to enter."""
    found: dict[int, nn.Parameter] = {}
    places: list[tuple[nn.Module, str, Any]] = []
    for module in model.modules():
        if isinstance(module, FSDPModule):
            # The outermost weights stay gathered after a pass. Reading them in one process alone would give
            # them back there alone, and the processes would no longer gather in step.
            module.reshard()
    for module in model.modules():
        own: dict[str, Any] = dict(module.named_parameters(recurse=False, remove_duplicate=False))
        for name, part in own.items():
            if isinstance(part, DTensor) and part.requires_grad:
                places.append((module, name, part))
                if id(part) not in found:  # tied weights stay one
                    found[id(part)] = nn.Parameter(gathered(part))
    try:
        for module, name, part in places:
            setattr(module, name, found[id(part)])
        yield
    finally:
        for module, name, part in places:
            setattr(module, name, part)
