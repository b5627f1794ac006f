"""A LoRA over a base in four bits, as QLoRA trains it (Dettmers et al. 2023, arXiv:2305.14314).

What was learnt belongs to the rounded weights: over the base's own it would answer differently. So the base's
are rounded in the same way, NF4 with double quantisation, where the adapter goes to work.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.adapters.adapter import Adapter, Update
from deploy.errors import EngineError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounded:
    """A weight that is rounded to four bits, from numbers of `dtype`, and then changed by `change` if any."""

    shape: tuple[int, ...]
    dtype: str
    change: Update | None

    def of(self, weight: "Tensor") -> "Tensor":
        """The new weight, in float32."""
        import torch

        rounded = round_to_nf4(weight.to(getattr(torch, self.dtype))).float()
        return rounded if self.change is None else self.change.of(rounded)


def round_to_nf4(weight: "Tensor") -> "Tensor":
    """`weight` as four bits keep it: blocks of 64 with a scale each, and those in eight bits.

    Raises:
        EngineError: bitsandbytes, which does the rounding, is not installed.
    """
    try:
        from bitsandbytes.functional import dequantize_4bit, quantize_4bit
    except ImportError as error:
        raise EngineError(
            f"an adapter over four bits needs bitsandbytes ({error}): make extras; or merge it into the base "
            "where that is (threeply merge), and serve the merged model"
        ) from None
    packed, state = quantize_4bit(weight.contiguous(), compress_statistics=True, quant_type="nf4")
    result: Tensor = dequantize_4bit(packed, state)
    return result


def read_four_bits(config: Mapping[str, Any], part: Adapter, folder: Path) -> Adapter:
    """The adapter `part` over the rounded weights that `config` lists.

    Raises:
        EngineError: the part changes a weight that is not among them.
    """
    shapes = {name: tuple(shape) for name, shape in config["rounded"].items()}
    if odd := sorted(part.updates.keys() - shapes.keys()):
        raise EngineError(f"the adapter in {folder} changes {odd[0]}, which it does not round")
    return Adapter(
        updates={
            name: Rounded(shape=shape, dtype=str(config["dtype"]), change=part.updates.get(name))
            for name, shape in shapes.items()
        }
    )
