"""Adapters over one base model in memory, switched by name.

What changes weights is put into them, which makes it as fast as the base alone. The base's own weights are
kept, in the precision they are stored in, and each switch starts from them: nothing is ever subtracted again,
so no rounding gathers, however often the adapters change. Where weights can be packed (`packed.py`), each
adapter has its own, and a switch copies nothing.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.adapters.adapter import Adapter, Replacement, Update, VirtualTokens
from deploy.adapters.reading import read_adapter
from deploy.errors import EngineError

if TYPE_CHECKING:
    import torch
    from torch.utils.hooks import RemovableHandle

    from deploy.adapters.packed import PackedLinears

BASE = "base"


class Adapters:
    """A model with one of several adapters at work, or none (`base`)."""

    def __init__(
        self,
        model: "torch.nn.Module",
        folders: Mapping[str, Path],
        *,
        stored: "torch.dtype",
        packs: bool = False,
    ) -> None:
        """Read the adapters in `folders` for `model`, whose weights are `stored` in this precision.

        With `packs` its linear maps are packed where they can be: for a model that is asked and not trained.

        Raises:
            EngineError: an adapter cannot be read, or does not fit.
        """
        if BASE in folders:
            raise EngineError(f"an adapter cannot be called {BASE!r}: that is the model without adapters")
        self._adapters = {name: read_adapter(folder) for name, folder in folders.items()}
        self._active = BASE
        self._hooks: list[RemovableHandle] = []
        self._modules = dict(model.named_modules())
        self._parameters = dict(model.named_parameters())
        self._weights: dict[str, torch.Tensor] = {}  # the memory that the base's weights came in
        self._kept: dict[str, torch.Tensor] = {}  # what was in it, where an adapter writes there
        for name, adapter in self._adapters.items():
            for module in adapter.added:
                if module not in self._modules:
                    raise EngineError(_misfit(name, module, "is not there"))
            for parameter, update in adapter.updates.items():
                weight = self._parameters.get(parameter)
                if weight is None or tuple(weight.shape) != update.shape:
                    found = "is not there" if weight is None else f"has the shape {tuple(weight.shape)}"
                    raise EngineError(_misfit(name, f"{parameter} of shape {update.shape}", found))
        self._packed = _packed(model, self._adapters) if packs else None
        for adapter in self._adapters.values():
            for parameter, update in adapter.updates.items():
                if self._packed is not None and parameter in self._packed:
                    continue
                own = self._weights[parameter] = self._parameters[parameter].data
                if not isinstance(update, Replacement) and parameter not in self._kept:
                    self._kept[parameter] = _exact_copy(own, stored)

    @property
    def names(self) -> tuple[str, ...]:
        """`base` and the adapters."""
        return (BASE, *self._adapters)

    @property
    def virtual_tokens(self) -> VirtualTokens | None:
        """What the active model has read before every prompt."""
        return self.virtual_tokens_of(self._active)

    def virtual_tokens_of(self, name: str) -> VirtualTokens | None:
        """What the model called `name` has read before every prompt."""
        return self._adapters[name].virtual_tokens if name in self._adapters else None

    def activate(self, name: str) -> None:
        """Make the model the one called `name`; costs nothing if it is already.

        Raises:
            EngineError: no such name.
        """
        import torch

        if name not in self.names:
            raise EngineError(f"no model is called {name!r}; there are: {', '.join(self.names)}")
        if name == self._active:
            return
        self._active = ""  # a switch that fails half-way is not taken for a whole one
        adapter = self._adapters.get(name, Adapter())
        for hook in self._hooks:
            hook.remove()
        self._hooks = []
        with torch.no_grad():
            for parameter in self._weights:
                self._set(parameter, adapter.updates.get(parameter))
            if self._packed is not None:
                self._packed.use(name)
        for module, added in adapter.added.items():
            self._hooks.append(self._modules[module].register_forward_hook(_adding(added)))
        self._active = name

    def _set(self, name: str, update: Update | None) -> None:
        own, kept, parameter = self._weights[name], self._kept.get(name), self._parameters[name]
        if isinstance(update, Replacement):
            parameter.data = update.of(own)
            return
        parameter.data = own
        if kept is not None:
            own.copy_(kept if update is None else update.of(kept))


def _packed(model: "torch.nn.Module", adapters: Mapping[str, Adapter]) -> "PackedLinears":
    from deploy.adapters.packed import PackedLinears

    return PackedLinears(model, adapters)


def _adding(added: Any) -> Any:
    def hook(_: Any, __: Any, output: "torch.Tensor") -> "torch.Tensor":
        return output + added(output)

    return hook


def _misfit(adapter: str, what: str, found: str) -> str:
    return (
        f"the adapter {adapter} changes {what}, which {found} in the base model; the adapter was trained on "
        "another base: run dvc repro sft"
    )


def _exact_copy(weight: "torch.Tensor", stored: "torch.dtype") -> "torch.Tensor":
    """`weight` in the precision it came from if that loses nothing, else as it is."""
    import torch

    small = weight.to(stored, copy=True)  # without copy an equal type would give the weight itself
    return small if torch.equal(small.to(weight.dtype), weight) else weight.clone()
