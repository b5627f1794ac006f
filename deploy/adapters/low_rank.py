"""LoRA as PEFT saves it: a weight gains the product of two thin matrices (Hu et al. 2021, arXiv:2106.09685).

With magnitudes it is DoRA (Liu et al. 2024, arXiv:2402.09353): each row of the sum has a learned length.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.adapters.adapter import Adapter
from deploy.adapters.names import PREFIX
from deploy.errors import EngineError

if TYPE_CHECKING:
    from torch import Tensor

_DOWN, _UP, _MAGNITUDE = ".lora_A.weight", ".lora_B.weight", ".lora_magnitude_vector"
# Options of PEFT under which the update is more than these tensors tell.
_MORE = ("rank_pattern", "alpha_pattern", "modules_to_save", "lora_bias")


@dataclass(frozen=True, slots=True)
class LowRank:
    """A weight W becomes W + `scale` x `up` x `down`, with rows of length `magnitude` if there is one.

    A `turned` weight is stored as [inputs, outputs], as GPT-2 does.
    """

    down: "Tensor"
    up: "Tensor"
    scale: float
    magnitude: "Tensor | None" = None
    turned: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of W."""
        outputs, inputs = self.up.shape[0], self.down.shape[1]
        return (inputs, outputs) if self.turned else (outputs, inputs)

    def of(self, weight: "Tensor") -> "Tensor":
        """The new weight, in float32."""
        import torch

        down, up = (side.to(weight.device, torch.float32) for side in (self.down, self.up))
        if self.turned:
            return torch.addmm(weight.float(), down.T, up.T, alpha=self.scale)
        whole = torch.addmm(weight.float(), up, down, alpha=self.scale)
        if self.magnitude is None:
            return whole
        lengths = torch.linalg.vector_norm(whole, dim=1)
        return whole * (self.magnitude.to(whole) / lengths).unsqueeze(1)


def read_low_rank(folder: Path, config: Mapping[str, Any], tensors: Mapping[str, "Tensor"]) -> Adapter:
    """The adapter of PEFT's type LORA.

    Raises:
        EngineError: it is of a kind that cannot be added into weights.
    """
    used = [key for key in _MORE if config.get(key)]
    if config.get("fan_in_fan_out") and config.get("use_dora"):
        used.append("fan_in_fan_out with use_dora")
    if used:
        raise EngineError(f"the adapter in {folder} uses {', '.join(used)}; served are plain LORA adapters")
    rank, alpha = int(config["r"]), float(config["lora_alpha"])
    scale = alpha / rank**0.5 if config.get("use_rslora") else alpha / rank
    modules = {name.removesuffix(_DOWN) for name in tensors if name.endswith(_DOWN)}
    ends = (_DOWN, _UP, _MAGNITUDE) if config.get("use_dora") else (_DOWN, _UP)
    known = {f"{module}{end}" for module in modules for end in ends}
    if not modules or known != tensors.keys():
        odd = sorted(known ^ tensors.keys())[:3] or ["no tensors at all"]
        raise EngineError(f"the adapter in {folder} is not plain LoRA: {', '.join(odd)}")
    return Adapter(
        updates={
            f"{module.removeprefix(PREFIX)}.weight": LowRank(
                tensors[f"{module}{_DOWN}"],
                tensors[f"{module}{_UP}"],
                scale,
                tensors.get(f"{module}{_MAGNITUDE}"),
                turned=bool(config.get("fan_in_fan_out")),
            )
            for module in sorted(modules)
        }
    )
