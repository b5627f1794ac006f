"""The linear maps of a model over packed weights (`packing.py`). Imports torch: import it where it is used.

They are packed once for each model that changes them: a model is then switched without a copy, and the
product of a map is the same, bit for bit. The weights as they were are let go.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from deploy.adapters.adapter import Adapter
from deploy.adapters.packed_attention import PARTS, PackedAttention, joins
from deploy.adapters.packing import can_pack, packed, product

_MOST_BYTES = 2 * 2**30  # of packed weights: those of each model are kept


class PackedLinears:
    """The linear maps of a model that can be packed, by the names of their weights; perhaps none.

    The weights are those of the base, until `use` names another of the `adapters`. Maps that read the same
    states are one product where their module can go by it.
    """

    def __init__(self, model: nn.Module, adapters: Mapping[str, Adapter]) -> None:
        self._products: list[_Product] = []
        self._own: list[Tensor] = []
        self._changed: dict[str, dict[int, Tensor]] = {adapter: {} for adapter in adapters}
        self._names: set[str] = set()
        uses = _uses(model)
        fitting = _fitting(model, adapters)
        for module, names in _joined(model, fitting, adapters):
            linears = [fitting[name] for name in names]
            for adapter, changes in adapters.items():
                if any(name in changes.updates for name in names):
                    weights = [
                        changes.updates[name].of(linear.weight.data).bfloat16()
                        if name in changes.updates
                        else linear.weight.data
                        for name, linear in zip(names, linears, strict=True)
                    ]
                    self._changed[adapter][len(self._products)] = packed(_one(weights))
            joined = _Product(linears)
            forward = joined if module is None else PackedAttention(module, joined)
            (module or linears[0]).forward = forward
            self._products.append(joined)
            self._own.append(joined.weight)
            self._names.update(names)
            for linear in linears:
                if uses[id(linear.weight)] == 1:  # one by one: the next is packed into this one's memory
                    linear.weight.data = linear.weight.new_empty(0)

    def __contains__(self, parameter: str) -> bool:
        return parameter in self._names

    def use(self, adapter: str) -> None:
        """Let all maps go by the weights of this adapter, or those of the base if it is none."""
        changed = self._changed.get(adapter, {})
        for at, (each, own) in enumerate(zip(self._products, self._own, strict=True)):
            each.weight = changed.get(at, own)


class _Product:
    """What `linears` make of the same states, one beside the other; the forward of a single one."""

    def __init__(self, linears: Sequence[nn.Linear]) -> None:
        self.weight = packed(_one([linear.weight.data for linear in linears]))
        biases = [linear.bias.data for linear in linears if linear.bias is not None]
        self._bias = _one(biases) if biases else None

    def __call__(self, states: Tensor) -> Tensor:
        return product(states, self.weight, self._bias)


def _one(parts: Sequence[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))


def _joined(
    model: nn.Module, fitting: Mapping[str, nn.Linear], adapters: Mapping[str, Adapter]
) -> Iterator[tuple[nn.Module | None, tuple[str, ...]]]:
    """The names that are one product each, with the module that goes by it if they are several."""
    hooked = {name for adapter in adapters.values() for name in adapter.added}
    left = dict.fromkeys(fitting)
    for name, module in model.named_modules():
        parts = [f"{name}.{part}" for part in PARTS]
        names = tuple(f"{part}.weight" for part in parts)
        if not joins(module) or hooked & set(parts) or not all(each in fitting for each in names):
            continue
        biased = {fitting[each].bias is not None for each in names}
        if len(biased) == 1:
            yield module, names
            for each in names:
                del left[each]
    for each in left:
        yield None, (each,)


def _uses(model: nn.Module) -> Counter[int]:
    """By how many names each parameter is known."""
    return Counter(id(tensor) for _, tensor in model.named_parameters(remove_duplicate=False))


def _fitting(model: nn.Module, adapters: Mapping[str, Adapter]) -> dict[str, nn.Linear]:
    """The maps that can be packed by the names of their weights, if there is room for all."""
    if not can_pack():
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
