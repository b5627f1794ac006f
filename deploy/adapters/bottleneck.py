"""Bottleneck adapters (Houlsby et al. 2019, arXiv:1902.00751): y becomes y + up(f(down(y))).

They stand behind the last linear map of attention and of the feed-forward part, before the sum with the
residual stream. The up-projection starts at zero, so a new adapter changes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.adapters.adapter import Adapter
from deploy.adapters.names import PREFIX
from deploy.errors import EngineError

if TYPE_CHECKING:
    from torch import Tensor

PEFT_TYPE = "BOTTLENECK"
PARTS = ("down.weight", "down.bias", "up.weight", "up.bias")
_MARK = ".bottleneck_"


def activation(name: str) -> "Callable[[Tensor], Tensor]":
    """The nonlinearity called `name`: relu, gelu, silu or tanh."""
    import torch
    from torch.nn import functional

    known = {"relu": torch.relu, "gelu": functional.gelu, "silu": functional.silu, "tanh": torch.tanh}
    return known[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bottleneck:
    """What is added to the output of one module; `parts` are the tensors that `PARTS` names."""

    parts: Sequence["Tensor"]
    activation: "Callable[[Tensor], Tensor]"
    scale: float

    def __call__(self, output: "Tensor") -> "Tensor":
        """The addition to `output` [..., width], same shape."""
        from torch.nn import functional

        down, down_bias, up, up_bias = (part.to(output.device) for part in self.parts)
        inner = self.activation(functional.linear(output.to(down.dtype), down, down_bias))
        return (functional.linear(inner, up, up_bias) * self.scale).to(output.dtype)


def read_bottlenecks(folder: Path, config: Mapping[str, Any], tensors: Mapping[str, "Tensor"]) -> Adapter:
    """The adapter of our PEFT type BOTTLENECK.

    Raises:
        EngineError: tensors are missing, or others are there.
    """
    modules = {name.partition(_MARK)[0] for name in tensors if _MARK in name}
    known = {f"{module}{_MARK}{part}" for module in modules for part in PARTS}
    if not modules or known != tensors.keys():
        odd = sorted(known ^ tensors.keys())[:3] or ["no tensors at all"]
        raise EngineError(f"the adapter in {folder} is no whole bottleneck adapter: {', '.join(odd)}")
    function = activation(str(config["activation"]))
    added = {}
    for module in sorted(modules):
        parts = [tensors[f"{module}{_MARK}{part}"] for part in PARTS]
        added[module.removeprefix(PREFIX)] = Bottleneck(
            parts=parts, activation=function, scale=float(config["scale"])
        )
    return Adapter(added=added)
