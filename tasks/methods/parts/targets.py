"""Which modules of a model a method works on."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tasks.methods.method import unmatched

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel


_LAYER = re.compile(r"\.(\d+)\.")  # the first list is that of the layers, whatever a family calls it


def layer_of(name: str) -> int | None:
    """The number of the decoder layer that a module or tensor belongs to; None: to none."""
    found = _LAYER.search(name)
    return int(found.group(1)) if found else None


def layers_of(model: "PreTrainedModel", count: int | None) -> range:
    """The numbers of the topmost `count` decoder layers; of all if `count` is None or more."""
    layers = int(model.config.get_text_config().num_hidden_layers)
    return range(0 if count is None else max(layers - count, 0), layers)


def linear_modules(model: "PreTrainedModel") -> "dict[str, nn.Linear]":
    """The linear modules below the language head, by their full name."""
    from torch import nn

    return {name: module for name, module in maps(model).items() if isinstance(module, nn.Linear)}


def maps(model: "PreTrainedModel") -> "dict[str, nn.Module]":
    """Linear modules below the language head, and those that GPT-2 has in their place, by their full name."""
    from torch import nn
    from transformers.pytorch_utils import Conv1D

    decoder = model.get_decoder()
    prefix = next(name for name, module in model.named_modules() if module is decoder)
    return {
        f"{prefix}.{name}": module
        for name, module in decoder.named_modules()
        if isinstance(module, nn.Linear | Conv1D)
    }


def sides(module: "nn.Module") -> tuple[int, int]:
    """How many outputs and inputs one of `maps` has; the weight of GPT-2's stands the other way round."""
    from torch import nn

    if isinstance(module, nn.Linear):  # a weight in four bits has another shape
        return module.out_features, module.in_features
    inputs, outputs = module.get_parameter("weight").shape
    return outputs, inputs


def chosen_names(model: "PreTrainedModel", targets: Sequence[str] | str, *, key: str) -> list[str]:
    """`targets` as last names of `maps`; `all-linear`, in which PEFT refuses chosen layers, is all.

    Raises:
        SettingsError: a name is not there; what exists is listed.
    """
    there = sorted({name.rpartition(".")[2] for name in maps(model)})
    if isinstance(targets, str):
        return there
    if missing := [name for name in targets if name not in there]:
        raise unmatched(key, missing, there)
    return list(targets)


def closing_names(model: "PreTrainedModel") -> list[str]:
    """The last linear modules of attention and of the feed-forward part, by their last name.

    They are those whose output has the width of the residual stream.
    """
    width = model.config.get_text_config().hidden_size  # a model that reads pictures embeds no words
    there = maps(model)
    last = {name.rpartition(".")[0]: name for name in there}.values()  # the last one of each parent
    return sorted({name.rpartition(".")[2] for name in last if sides(there[name])[0] == width})
