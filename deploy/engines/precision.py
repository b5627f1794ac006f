"""On what a model runs and in which number format."""

from typing import Literal

from deploy.errors import EngineError

Precision = Literal["auto", "float32", "bfloat16"]


def choose_device(precision: Precision) -> tuple[str, Literal["float32", "bfloat16"]]:
    """The device (`cuda` where there is one) and the number format for it.

    `auto` is bfloat16 on GPUs that have it and on CPUs that multiply it in tiles (AMX); elsewhere it is
    slower than float32.

    Raises:
        EngineError: bfloat16 is asked for, and the GPU has none.
    """
    import torch

    cuda = torch.cuda.is_available()
    fast = torch.cuda.is_bf16_supported(including_emulation=False) if cuda else has_tiles()
    if cuda and precision == "bfloat16" and not fast:
        raise EngineError(
            f"run.precision is bfloat16, which {torch.cuda.get_device_name()} has not (GPUs of compute "
            "capability 8.0 and higher have it); choose auto or float32"
        )
    if precision == "auto":
        precision = "bfloat16" if fast else "float32"
    return ("cuda" if cuda else "cpu"), precision


def has_tiles() -> bool:
    """Whether this CPU multiplies bfloat16 in tiles (AMX)."""
    import torch

    supported = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return bool(supported and supported())
