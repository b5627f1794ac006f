"""Methods that change the base's own weights: what they have in common."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.methods.files import write_replaced
from tasks.methods.method import Adapted

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def train_weights(model: "PreTrainedModel", names: Iterable[str]) -> Adapted:
    """`model` with the parameters called `names` learning in float32; they are what is written."""
    chosen = set(names)
    for name, parameter in model.named_parameters():
        if name in chosen:
            parameter.data = parameter.data.float()  # small steps vanish in half precision
            parameter.requires_grad_(True)
    return Adapted(model=model, write=_writer(model, chosen))


def _writer(model: "PreTrainedModel", chosen: set[str]) -> "Callable[[Path], None]":
    def write(folder: Path) -> None:
        named = dict(model.named_parameters())  # by name: spread over processes, they are others
        write_replaced({name: named[name].data for name in chosen}, folder)

    return write
