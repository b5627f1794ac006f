"""A base whose linear weights are kept in four bits: NF4 with double quantisation, by bitsandbytes."""

from pathlib import Path
from typing import TYPE_CHECKING

from tasks.errors import TrainingError
from tasks.machine.process import release_memory
from tasks.methods.parts.base_model import map_base
from tasks.methods.parts.targets import linear_modules

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from tasks.machine.device import Device

ROUNDED_AT_ONCE = 2**28  # bytes, after which what rounding leaves in the heap is given back
MARK = "is_loaded_in_4bit"  # by which PEFT knows such a model


def load_in_four_bits(folder: Path, device: "Device") -> "PreTrainedModel":
    """The model in `folder`, frozen, its linear weights rounded one by one: never whole in memory.

    The files are mapped, so a weight is read when it is rounded, and let go. transformers' own loader has all
    weights in memory before it rounds them.

    Raises:
        TrainingError: bitsandbytes is not installed, or there are no such weights.
    """
    model = map_base(folder, device)
    quantise(model, dtype=device.dtype, compute=device.dtype, device=device.name)
    for part in model.parameters():
        if part.is_floating_point():  # copied, since what still lies in a mapped file keeps it all in memory
            part.data = part.data.to(device.name, device.dtype, copy=True)
    return model.to(device.name)


def quantise(
    model: "PreTrainedModel",
    *,
    dtype: "torch.dtype | None" = None,
    compute: "torch.dtype | None" = None,
    device: str | None = None,
) -> None:
    """Replace the linear layers below the head by ones that keep their weights in NF4.

    They are rounded from numbers of `dtype`, compute in `compute` and lie on `device`; None: as they are.

    Raises:
        TrainingError: bitsandbytes is not installed, or there are no such layers.
    """
    try:
        from bitsandbytes.nn import Linear4bit, Params4bit
    except ImportError as error:
        raise TrainingError(
            f"sft.method qlora needs bitsandbytes ({error}); install it with `make extras`, or choose lora, "
            "which needs no quantised base"
        ) from None
    found = linear_modules(model)
    if not found:
        raise TrainingError(
            f"sft.method qlora rounds linear modules, and a {type(model).__name__} has none (GPT-2 has "
            "Conv1D in their place); choose lora"
        )
    rounded = 0
    for name in list(found):
        linear = found.pop(name)  # or it would stay in memory
        weight = linear.weight
        small = Linear4bit(
            linear.in_features,
            linear.out_features,
            bias=linear.bias is not None,
            compute_dtype=compute or weight.dtype,
            compress_statistics=True,  # double quantisation
            quant_type="nf4",
            device="meta",
        )
        small.weight = Params4bit(
            weight.data.to(dtype or weight.dtype),
            requires_grad=False,
            compress_statistics=True,
            quant_type="nf4",
        )
        if linear.bias is not None:
            small.bias = linear.bias
        # Off the training path bitsandbytes would repack the weights for some processors and compute in
        # bfloat16: other numbers than those that were trained with.
        small.support_avx512bf16_for_cpu = False
        parent, _, last = name.rpartition(".")
        # Moving it is what rounds it.
        setattr(model.get_submodule(parent), last, small.to(device or weight.device))
        rounded += weight.nbytes
        if rounded > ROUNDED_AT_ONCE:
            del linear, weight
            release_memory()
            rounded = 0
    release_memory()
    setattr(model, MARK, True)
