"""Puts an adapter into the weights of the base once and for all: a model that needs no adapter any more."""

from pathlib import Path
from typing import TYPE_CHECKING

from deploy.adapters.adapter import Replacement
from deploy.adapters.reading import read_adapter
from deploy.errors import EngineError

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def merge_into(model: "PreTrainedModel", adapter: Path) -> None:
    """Put the adapter in the folder `adapter` into the weights of `model`.

    Raises:
        EngineError: the adapter is more than a change of weights, or belongs to another base.
    """
    import torch

    read = read_adapter(adapter)
    if read.added or read.virtual_tokens is not None:
        what = "modules with a nonlinearity" if read.added else "what stands before every prompt"
        raise EngineError(f"the adapter in {adapter} cannot be merged: {what} cannot be put into a weight")
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, update in read.updates.items():
            weight = parameters.get(name)
            if weight is None or tuple(weight.shape) != update.shape:
                raise EngineError(f"the adapter in {adapter} does not fit the base model at {name}")
            weight.data = update.of(weight.data.float()).to(weight.dtype).clone()
    smaller = {
        tuple(update.tensor.shape)
        for name, update in read.updates.items()
        if isinstance(update, Replacement) and name.endswith("gate_proj.weight")
    }
    if len(smaller) == 1:
        model.config.intermediate_size = next(iter(smaller))[0]  # pruned feed-forward channels
