"""Linear maps whose weights lie as oneDNN reads them. Imports torch: import it where it is used.

A product of bfloat16 on a CPU lays its weights out anew each time, which takes as long as the product of a
few rows itself. Here that is done once for each model that changes them: a model is then switched without a
copy, and what comes out is the same, bit for bit. The weights as they were are let go.
"""

from collections import Counter
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from deploy.adapters.adapter import Adapter

_MOST_BYTES = 2 * 2**30  # of packed weights: those of each model are kept


class PackedLinears:
    """The linear maps of a model that can be packed, by the names of their weights; perhaps none.

    The weights are those of the base, until `use` names another of the `adapters`.
    """

    def __init__(self, model: nn.Module, adapters: Mapping[str, Adapter]) -> None:
        self._maps: dict[str, _Map] = {}
        self._own: dict[str, Tensor] = {}
        self._changed: dict[str, dict[str, Tensor]] = {adapter: {} for adapter in adapters}
        uses = _uses(model)
        for name, linear in _fitting(model, adapters).items():
            self._maps[name] = _Map(linear)
            self._own[name] = self._maps[name].weight
            for adapter, changes in adapters.items():
                if name in changes.updates:
                    changed = changes.updates[name].of(linear.weight.data)
                    self._changed[adapter][name] = _packed(changed.bfloat16())
            if uses[id(linear.weight)] == 1:  # one after the other: the next is packed into this one's memory
                linear.weight.data = linear.weight.new_empty(0)

    def __contains__(self, parameter: str) -> bool:
        return parameter in self._maps

    def use(self, adapter: str) -> None:
        """Let all maps go by the weights of this adapter, or those of the base if it is none."""
        for name, weight in (self._own | self._changed.get(adapter, {})).items():
            self._maps[name].weight = weight


class _Map:
    """Stands in for the forward of `linear`."""

    def __init__(self, linear: nn.Linear) -> None:
        self.linear = linear
        self.weight = _packed(linear.weight.data)
        linear.forward = self  # type: ignore[method-assign, assignment]

    def __call__(self, states: Tensor) -> Tensor:
        mapped: Tensor = torch.ops.mkldnn._linear_pointwise(
            states, self.weight, self.linear.bias, "none", [], ""
        )
        return mapped


def _packed(weight: Tensor) -> Tensor:
    packed: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight)
    return packed


def _uses(model: nn.Module) -> Counter[int]:
    """By how many names each parameter is known."""
    return Counter(id(tensor) for _, tensor in model.named_parameters(remove_duplicate=False))


def _fitting(model: nn.Module, adapters: Mapping[str, Adapter]) -> dict[str, nn.Linear]:
    """The maps that can be packed by the names of their weights, if there is room for all."""
    built = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if not (built and torch.ops.mkldnn._is_mkldnn_bf16_supported()):
        return {}
    changed = [name for adapter in adapters.values() for name in adapter.updates]
    parameters = dict(model.named_parameters())
    uses = _uses(model)
    # What an adapter makes of a weight is meant for all who share it: such a one stays where they find it.
    shared = {id(parameters[name]) for name in changed if uses[id(parameters[name])] > 1}
    linears = {
        f"{name}.weight": module
        for name, module in model.named_modules()
        if type(module) is nn.Linear
        and module.weight.dtype == torch.bfloat16
        and module.weight.device.type == "cpu"
        and id(module.weight) not in shared
    }
    sizes = {name: linear.weight.nbytes for name, linear in linears.items()}
    room = sum(sizes.values()) + sum(sizes.get(name, 0) for name in changed)
    return linears if room <= _MOST_BYTES else {}
