"""Training with the weights spread over processes (FSDP; Zhao et al. 2023, arXiv:2304.11277).

Each process keeps a part of every weight, of its gradient and of the optimiser's state; a layer is whole only
while it computes. PyTorch's `fully_shard` does it, the same on GPUs and on CPUs. What is written is gathered
first, so files do not tell how many processes there were.

Import this module late: torch is needed to define it.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from deploy.atomic import write_json
from tasks.machine.device import Device
from tasks.machine.process import processes
from tasks.methods.parts.files import write_tensors
from tasks.training.spread import FsdpSettings

MOMENTS, GROUPS = "moments.safetensors", "groups.json"  # in a checkpoint: the optimiser's state
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
def gathered(model: nn.Module) -> Iterator[None]:
    """Within, what learns is whole, in the memory of the CPU, in every process; all of them have to enter."""
    found: dict[int, nn.Parameter] = {}
    places: list[tuple[nn.Module, str, Any]] = []
    for module in model.modules():
        if isinstance(module, FSDPModule):
            # The outermost weights stay gathered after a pass. Reading them in one process alone would give
            # them back there alone, and the processes would no longer gather in step.
            module.reshard()
    for module in model.modules():
        own: dict[str, Any] = dict(module._parameters)
        for name, part in own.items():
            if isinstance(part, DTensor) and part.requires_grad:
                places.append((module, name, part))
                if id(part) not in found:  # tied weights stay one
                    found[id(part)] = nn.Parameter(_gathered(part))
    try:
        for module, name, part in places:
            setattr(module, name, found[id(part)])
        yield
    finally:
        for module, name, part in places:
            setattr(module, name, part)


def restore(parameters: Mapping[str, nn.Parameter], tensors: Mapping[str, Tensor]) -> None:
    """Give the parameters the values of `tensors`, each process its own part."""
    with torch.no_grad():
        for name, tensor in tensors.items():
            parameters[name].copy_(_like(parameters[name], tensor))


def save_moments(optimizer: Any, scheduler: Any, folder: Path, *, write: bool) -> None:
    """Gather the state of optimiser and schedule in all processes; the one that is to `write` keeps it."""
    found = optimizer.state_dict()
    tensors = {
        f"{number}.{name}": _gathered(value)
        for number, moments in found["state"].items()
        for name, value in moments.items()
    }
    if write:
        write_tensors(tensors, folder / MOMENTS)
        write_json(folder / GROUPS, {"groups": found["param_groups"], "schedule": scheduler.state_dict()})


def load_moments(optimizer: Any, scheduler: Any, folder: Path) -> None:
    """Give each process its part of a state that `save_moments` has written."""
    parameters = [part for group in optimizer.param_groups for part in group["params"]]
    state: dict[int, dict[str, Any]] = {}
    for place, value in load_file(folder / MOMENTS).items():
        number, _, name = place.partition(".")
        state.setdefault(int(number), {})[name] = _like(parameters[int(number)], value)
    kept = json.loads((folder / GROUPS).read_text(encoding="utf-8"))
    optimizer.load_state_dict({"state": state, "param_groups": kept["groups"]})
    scheduler.load_state_dict(kept["schedule"])


def _gathered(value: Any) -> Any:
    return value.full_tensor().detach().cpu() if isinstance(value, DTensor) else value


def _like(part: Any, value: Any) -> Any:
    """`value`, spread as the parameter `part` is; what has not its shape, such as a count, as it is."""
    if not isinstance(part, DTensor) or not isinstance(value, Tensor) or value.shape != part.shape:
        return value
    return distribute_tensor(value.to(part.device), part.device_mesh, part.placements)
