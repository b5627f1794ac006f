"""What a training goes on from after a kill: tensors as safetensors, all else as JSON, whole or not there.

Weights that are spread over processes are gathered before they are written, so a checkpoint can be read by
any of them.

Import this module late: torch is needed to define it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch
from accelerate.utils import gather_object
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, distribute_tensor

from deploy.atomic import replacing, write_json
from deploy.files import read_json
from tasks.errors import TrainingError
from tasks.machine.process import is_first, rank

FOLDER, TENSORS, VALUES = "checkpoint", "tensors.safetensors", "values.json"
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingState:
    """How far a training has come, and those parts of its state that are no tensors.

    `moments` are the numbers in the optimiser's state by the number of their parameter, `groups` its
    parameter groups, `history` what was logged.
    """

    step: int
    history: list[dict[str, Any]]
    groups: list[dict[str, Any]]
    moments: dict[str, dict[str, Any]]
    schedule: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A training after some step."""

    state: TrainingState
    tensors: Mapping[str, Tensor] = field(repr=False)

    @property
    def step(self) -> int:
        """The number of steps behind it."""
        return self.state.step


def write_state(work: Path, tensors: Mapping[str, Tensor], values: Any) -> None:
    """Replace what is kept in `work`; a kill at any moment leaves the old state or the new one."""
    with replacing(work / FOLDER) as folder:
        folder.mkdir()
        save_file({name: tensor.contiguous().cpu() for name, tensor in tensors.items()}, folder / TENSORS)
        write_json(folder / VALUES, values)


def read_state(work: Path, kind: type[T]) -> tuple[dict[str, Tensor], T] | None:
    """The tensors and the values that are kept in `work`; None: there are none.

    Raises:
        TrainingError: the values are not of the kind.
    """
    folder = work / FOLDER
    if not folder.is_dir():
        return None
    values = read_json(folder / VALUES, kind, error=TrainingError, advice=f"delete {folder} and run again")
    return load_file(folder / TENSORS), values


def save(
    work: Path,
    learnt: Mapping[str, Tensor],
    optimizer: Any,
    scheduler: Any,
    *,
    step: int,
    history: list[dict[str, Any]],
) -> None:
    """Keep a training in `work`; every process has to call it, and the first one writes."""
    state = optimizer.state_dict()
    # In the same order in every process: what is spread is gathered here.
    moments = {number: _gathered_all(values) for number, values in state["state"].items()}
    generators = gather_object([_generators()])
    if not is_first():
        return
    tensors = {f"learnt/{name}": tensor.detach() for name, tensor in learnt.items()}
    numbers: dict[str, dict[str, Any]] = {}
    for number, values in moments.items():
        for name, value in values.items():
            if isinstance(value, Tensor):
                tensors[f"moment/{number}/{name}"] = value
            else:
                numbers.setdefault(str(number), {})[name] = value
    for process, states in enumerate(generators):
        tensors |= {f"generator/{process}/{place}": value for place, value in states.items()}
    kept = TrainingState(
        step=step,
        history=history,
        groups=state["param_groups"],
        moments=numbers,
        schedule=scheduler.state_dict(),
    )
    write_state(work, tensors, asdict(kept))


def load(work: Path) -> Checkpoint | None:
    """The training that is kept in `work`, if one is."""
    found = read_state(work, TrainingState)
    return Checkpoint(tensors=found[0], state=found[1]) if found else None


def restore(
    checkpoint: Checkpoint, learnt: Mapping[str, nn.Parameter], optimizer: Any, scheduler: Any
) -> None:
    """Set what learns, the optimiser and the schedule to the checkpoint; each process takes its own part."""
    with torch.no_grad():
        for name, tensor in _below(checkpoint.tensors, "learnt").items():
            learnt[name].copy_(_like(learnt[name], tensor))
    parameters = [part for group in optimizer.param_groups for part in group["params"]]
    kept = checkpoint.state
    state: dict[int, dict[str, Any]] = {int(number): dict(values) for number, values in kept.moments.items()}
    for place, value in _below(checkpoint.tensors, "moment").items():
        number, _, name = place.partition("/")
        state.setdefault(int(number), {})[name] = _like(parameters[int(number)], value)
    optimizer.load_state_dict({"state": state, "param_groups": kept.groups})
    scheduler.load_state_dict(kept.schedule)


def restore_generators(checkpoint: Checkpoint) -> None:
    """Let this process draw the random numbers that it would have drawn."""
    kept = _below(checkpoint.tensors, f"generator/{rank()}")
    if "cpu" in kept:
        torch.set_rng_state(kept["cpu"])
    if "cuda" in kept and torch.cuda.is_available():
        torch.cuda.set_rng_state(kept["cuda"])


def _generators() -> dict[str, Tensor]:
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def _below(tensors: Mapping[str, Tensor], head: str) -> dict[str, Tensor]:
    start = f"{head}/"
    return {name.removeprefix(start): part for name, part in tensors.items() if name.startswith(start)}


def _gathered_all(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: gathered(value) for name, value in values.items()}


def gathered(value: Any) -> Any:
    """A tensor that is spread over processes as a whole one, in the memory of the CPU; others as they are."""
    return value.full_tensor().detach().cpu() if isinstance(value, DTensor) else value


def _like(part: Any, value: Any) -> Any:
    """`value`, spread as the parameter `part` is; what has not its shape, such as a count, as it is."""
    if not isinstance(part, DTensor) or not isinstance(value, Tensor) or value.shape != part.shape:
        return value
    return distribute_tensor(value.to(part.device), part.device_mesh, part.placements)
