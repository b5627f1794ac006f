"""LoRA layers whose weights rest for a while, as where responses are sampled: laid out once for all tokens.

Beside a frozen base in bfloat16 a fused layer (`fused_lora.py`) puts `[W, B]` together at each product, and
oneDNN lays that out anew. For the thousand tokens of a row in training that is little; where a few tokens are
decoded at each step it takes longer than the product. The numbers are the same, bit for bit.

Import this module late: torch is needed to define it.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from deploy.adapters.packing import can_pack, packed, product
from tasks.methods.layers.fused_lora import at_work, goes_beside


class _Held:
    """Stands in for the forward of `layer` with the adapter that is active now, where nothing is learned."""

    def __init__(self, layer: Any) -> None:
        base, name = layer.base_layer, at_work(layer)
        self._layer, self._plain = layer, layer.forward
        self._down = layer.lora_A[name].weight.to(base.weight.dtype)
        self._scaling = layer.scaling[name]
        up = layer.lora_B[name].weight.to(base.weight.dtype)
        self._weight, self._bias = packed(torch.cat([base.weight, up], -1)), base.bias
        layer.forward = self

    def __call__(self, states: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            plain: Tensor = self._plain(states)
            return plain
        inner = functional.linear(states, self._down).mul_(self._scaling)
        return product(torch.cat([states, inner], -1), self._weight, self._bias)

    def let_go(self) -> None:
        """Give the layer its own forward back."""
        self._layer.forward = self._plain


@contextmanager
def held(layers: Iterable[nn.Module]) -> Iterator[None]:
    """Let `layers` compute by their weights and adapters as they are now, for the block."""
    holding = hold(layers)
    try:
        yield
    finally:
        for layer in holding:
            layer.let_go()


@torch.no_grad()
def hold(layers: Iterable[nn.Module]) -> list[_Held]:
    """Let those of `layers` that gain by it compute by their weights and adapters as they are now."""
    return [_Held(layer) for layer in layers if goes_beside(layer)] if can_pack() else []
