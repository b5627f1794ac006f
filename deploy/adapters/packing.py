"""Weights that lie as oneDNN reads them. Imports torch: import it where it is used.

A product of bfloat16 on a CPU lays its weights out anew each time, which takes as long as the product of a
few rows itself.
"""

import torch
from torch import Tensor


def can_pack() -> bool:
    """Whether this machine has products of bfloat16 over packed weights."""
    built = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return bool(built and torch.ops.mkldnn._is_mkldnn_bf16_supported())


def packed(weight: Tensor) -> Tensor:
    """`weight` [outputs, inputs], in bfloat16 on a CPU, as `product` reads it."""
    laid: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight)
    return laid


def product(states: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The linear map of `states` by a weight that was packed."""
    mapped: Tensor = torch.ops.mkldnn._linear_pointwise(states, weight, bias, "none", [], "")
    return mapped
