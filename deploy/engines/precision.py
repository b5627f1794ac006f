"""On what a model runs and in which number format."""

from typing import Literal

from deploy.errors import EngineError

Precision = Literal["auto", "float32", "bfloat16"]


def choose_device(precision: Precision) -> tuple[str, Literal["float32", "bfloat16"]]:
    """The device (`cuda` where there is one) and the number format for it.

    `auto` is bfloat16 on GPUs that have it and on CPUs with instructions that multiply it (AMX,
    AVX512_BF16); elsewhere it is slower than float32.

    Raises:
        EngineError: bfloat16 is asked for, and the GPU has none.
    """
    import torch

    cuda = torch.cuda.is_available()
    fast = torch.cuda.is_bf16_supported(including_emulation=False) if cuda else multiplies_bfloat16()
    if cuda and precision == "bfloat16" and not fast:
        raise EngineError(
            f"run.precision is bfloat16, which {torch.cuda.get_device_name()} has not (GPUs of compute "
            "capability 8.0 and higher have it); choose auto or float32"
        )
    if precision == "auto":
        precision = "bfloat16" if fast else "float32"
    return ("cuda" if cuda else "cpu"), precision


def multiplies_bfloat16() -> bool:
    """Whether this CPU has instructions for products of bfloat16: in tiles (AMX) or vectors (AVX512_BF16)."""
    import torch

    asked = (
        getattr(torch.cpu, name, None) for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    )
    return any(supported() for supported in asked if supported)
