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

    if not torch.cuda.is_available():
        short = has_tiles()
    else:
        short = torch.cuda.is_bf16_supported(including_emulation=False)
        if precision == "bfloat16" and not short:
            raise EngineError(
                f"run.precision is bfloat16, which {torch.cuda.get_device_name()} has not (GPUs of compute "
                "capability 8.0 and higher have it); choose auto or float32"
            )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if precision != "auto":
        return device, precision
    return device, "bfloat16" if short else "float32"


def has_tiles() -> bool:
    """Whether this CPU multiplies bfloat16 in tiles (AMX)."""
    import torch

    supported = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return bool(supported and supported())
