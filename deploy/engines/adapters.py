"""LoRA adapters over one base model in memory, switched by name.

The active adapter is added into the base's weights, which makes it as fast as the base alone. The base's
own weights are kept in the precision they are stored in, and each switch starts from them: nothing is ever
subtracted again, so no rounding gathers, however often the adapters change.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.errors import EngineError

if TYPE_CHECKING:
    import torch

BASE = "base"
_WEIGHTS = "adapter_model.safetensors"
_PREFIX = "base_model.model."


@dataclass(frozen=True, slots=True)
class LowRank:
    """What one module's weight gains: `scale * up @ down`."""

    down: "torch.Tensor"
    up: "torch.Tensor"
    scale: float


def read_adapter(folder: Path) -> dict[str, LowRank]:
    """Module name -> its low-rank update, from an adapter that PEFT saved.

    Raises:
        EngineError: files are missing, or the adapter is of a kind that cannot be added into weights.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        tensors = load_file(folder / _WEIGHTS)
    except (OSError, ValueError, SafetensorError) as error:
        raise EngineError(f"no adapter can be read from {folder}: {error}") from None
    scale = _scale(folder, config)
    modules = {name.removesuffix(".lora_A.weight") for name in tensors if name.endswith(".lora_A.weight")}
    known = {f"{module}.lora_{side}.weight" for module in modules for side in "AB"}
    if not modules or known != tensors.keys():
        odd = sorted(known ^ tensors.keys())[:3] or ["no tensors at all"]
        raise EngineError(f"the adapter in {folder} is not plain LoRA: {', '.join(odd)}")
    return {
        module.removeprefix(_PREFIX): LowRank(
            tensors[f"{module}.lora_A.weight"], tensors[f"{module}.lora_B.weight"], scale
        )
        for module in sorted(modules)
    }


class Adapters:
    """The weights of a model with one of several adapters added, or none (`base`)."""

    def __init__(
        self, model: "torch.nn.Module", folders: Mapping[str, Path], *, stored: "torch.dtype"
    ) -> None:
        if BASE in folders:
            raise EngineError(f"an adapter cannot be called {BASE!r}: that is the model without adapters")
        self._adapters = {name: read_adapter(folder) for name, folder in folders.items()}
        self._active = BASE
        parameters = dict(model.named_parameters())
        self._weights: dict[str, torch.Tensor] = {}
        self._kept: dict[str, torch.Tensor] = {}
        for name, adapter in self._adapters.items():
            for module, update in adapter.items():
                weight = parameters.get(f"{module}.weight")
                shape = (update.up.shape[0], update.down.shape[1])
                if weight is None or tuple(weight.shape) != shape:
                    found = "is not there" if weight is None else f"has the shape {tuple(weight.shape)}"
                    raise EngineError(
                        f"the adapter {name} changes {module} of shape {shape}, which {found} in the base "
                        "model; the adapter was trained on another base: run dvc repro sft"
                    )
                if module not in self._kept:
                    self._weights[module] = weight.data
                    self._kept[module] = _exact_copy(weight.data, stored)

    @property
    def names(self) -> tuple[str, ...]:
        """`base` and the adapters."""
        return (BASE, *self._adapters)

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
        adapter = self._adapters.get(name, {})
        with torch.no_grad():
            for module, weight in self._weights.items():
                kept, update = self._kept[module], adapter.get(module)
                if update is None:
                    weight.copy_(kept)
                else:
                    down, up = (side.to(weight.device, torch.float32) for side in (update.down, update.up))
                    weight.copy_(torch.addmm(kept.float(), up, down, alpha=update.scale))
        self._active = name


def _scale(folder: Path, config: dict[str, Any]) -> float:
    """The factor of a plain LoRA adapter; refuses variants whose update is more than a product."""
    if config.get("peft_type") != "LORA":
        raise EngineError(f"the adapter in {folder} is {config.get('peft_type')}; served are LORA adapters")
    variants = ("use_dora", "rank_pattern", "alpha_pattern", "modules_to_save", "fan_in_fan_out", "lora_bias")
    used = [key for key in variants if config.get(key)]
    if used:
        raise EngineError(f"the adapter in {folder} uses {', '.join(used)}; served are plain LORA adapters")
    rank, alpha = int(config["r"]), float(config["lora_alpha"])
    return alpha / rank**0.5 if config.get("use_rslora") else alpha / rank


def _exact_copy(weight: "torch.Tensor", stored: "torch.dtype") -> "torch.Tensor":
    """`weight` in the precision it came from if that loses nothing, else as it is."""
    import torch

    small = weight.to(stored, copy=True)  # without copy an equal type would give the weight itself
    return small if torch.equal(small.to(weight.dtype), weight) else weight.clone()
