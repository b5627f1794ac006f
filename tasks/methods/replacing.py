"""Methods that change the base's own weights: what they have in common."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.methods.files import write_replaced
from tasks.methods.method import Adapted

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel


def train_weights(model: "PreTrainedModel", names: Iterable[str]) -> Adapted:
    """`model` with the parameters called `names` learning in float32; they are what is written."""
    chosen = set(names)
    parameters = dict(model.named_parameters())
    for name, parameter in parameters.items():
        if name in chosen:
            parameter.data = parameter.data.float()  # small steps vanish in half precision
            parameter.requires_grad_(True)
    return Adapted(model=model, write=_writer(parameters, chosen))


def _writer(parameters: "dict[str, nn.Parameter]", chosen: set[str]) -> "Callable[[Path], None]":
    return lambda folder: write_replaced({name: parameters[name].data for name in chosen}, folder)
