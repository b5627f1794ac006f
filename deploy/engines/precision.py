"""On what a model runs and in which number format."""

from typing import Literal

Precision = Literal["auto", "float32", "bfloat16"]


def choose_device(precision: Precision) -> tuple[str, Literal["float32", "bfloat16"]]:
    """The device (`cuda` where there is one) and the number format for it.

    `auto` is bfloat16 on a GPU and on CPUs that multiply it in tiles (AMX); elsewhere it is slower than
    float32.
    """
    import torch

    cuda = torch.cuda.is_available()
    if precision != "auto":
        return ("cuda" if cuda else "cpu"), precision
    return ("cuda" if cuda else "cpu"), ("bfloat16" if cuda or has_tiles() else "float32")


def has_tiles() -> bool:
    """Whether this CPU multiplies bfloat16 in tiles (AMX)."""
    import torch

    supported = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return bool(supported and supported())
