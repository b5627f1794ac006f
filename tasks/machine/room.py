"""Whether the weights of a model fit into memory at all, said before they are loaded."""

from pathlib import Path

from tasks.errors import TrainingError
from tasks.machine.device import Device
from tasks.machine.memory import MIB, available
from tasks.machine.tensors import tensor_sizes


def require_room(folder: Path, device: Device, *, what: str) -> None:
    """Make sure that the model in `folder` fits into the memory of the device in its precision.

    `what` it is wanted for. Only `sft` can spread weights over processes (`sft.sharded`); whatever else looks
    at a model holds it whole.

    Raises:
        TrainingError: it does not; the message says by how much, and what would.
    """
    needed, there = weight_bytes(folder, device.dtype.itemsize), available(device.name)
    if needed <= there:
        return
    shorter = "set run.precision: bfloat16, " if device.precision == "float32" else ""
    raise TrainingError(
        f"the weights in {folder} take {needed / MIB:,.0f} MiB in {device.precision}, and {what} holds them "
        f"whole in {'GPU ' if device.name == 'cuda' else ''}memory; {there / MIB:,.0f} MiB are there: "
        f"{shorter}free memory, or choose a smaller base.model"
    )


def weight_bytes(folder: Path, itemsize: int) -> int:
    """The bytes of all weights in `folder` at so many for a number, read from the heads of their files."""
    return itemsize * sum(count for _, count in tensor_sizes(folder))
