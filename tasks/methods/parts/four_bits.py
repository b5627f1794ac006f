"""A base whose linear weights are kept in four bits: NF4 with double quantisation, by bitsandbytes."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.errors import TrainingError
from tasks.methods.parts.base_model import load_base
from tasks.methods.parts.targets import linear_modules

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from tasks.machine.device import Device

MARK = "is_loaded_in_4bit"  # by which PEFT knows such a model


def load_in_four_bits(folder: Path, device: "Device") -> "PreTrainedModel":
    """The model in `folder`, frozen, its linear weights rounded as they are read: never whole in memory.

    Raises:
        TrainingError: bitsandbytes is not installed, or there are no such weights.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, BitsAndBytesConfig

    _require_bitsandbytes()
    with torch.device("meta"):  # a model of the same shape without numbers
        empty = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder, local_files_only=True))
    _require_linear(empty)
    four_bits = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=device.dtype,
    )
    model = load_base(folder, device, quantization_config=four_bits, device_map={"": device.name})
    for module in linear_modules(model).values():
        _same_everywhere(module)
    # transformers' trainer takes a rounded model only with an adapter of its own making.
    vars(model)["is_quantized"] = False
    return model


def quantise(model: "PreTrainedModel", *, dtype: "torch.dtype | None" = None) -> None:
    """Replace the linear layers below the head by ones that keep their weights, as `dtype` has them, in NF4.

    Raises:
        TrainingError: bitsandbytes is not installed, or there are no such layers.
    """
    _require_bitsandbytes()
    from bitsandbytes.nn import Linear4bit, Params4bit

    _require_linear(model)
    for name, linear in linear_modules(model).items():
        weight = linear.weight
        small = Linear4bit(
            linear.in_features,
            linear.out_features,
            bias=linear.bias is not None,
            compute_dtype=weight.dtype,
            compress_statistics=True,  # double quantisation
            quant_type="nf4",
        )
        small.weight = Params4bit(
            weight.data.to(dtype or weight.dtype),
            requires_grad=False,
            compress_statistics=True,
            quant_type="nf4",
        )
        if linear.bias is not None:
            small.bias = linear.bias
        _same_everywhere(small)
        parent, _, last = name.rpartition(".")
        setattr(model.get_submodule(parent), last, small.to(weight.device))  # moving it is what rounds it
    setattr(model, MARK, True)


def _same_everywhere(module: Any) -> None:
    # Off the training path bitsandbytes would repack the weights for some processors and compute in bfloat16:
    # other numbers than those that were trained with.
    module.support_avx512bf16_for_cpu = False


def _require_bitsandbytes() -> None:
    try:
        import bitsandbytes.nn  # noqa: F401
    except ImportError as error:
        raise TrainingError(
            f"sft.method qlora needs bitsandbytes ({error}); install it with `make extras`, or choose lora, "
            "which needs no quantised base"
        ) from None


def _require_linear(model: "PreTrainedModel") -> None:
    if not linear_modules(model):
        raise TrainingError(
            f"sft.method qlora rounds linear modules, and a {type(model).__name__} has none (GPT-2 has "
            "Conv1D in their place); choose lora"
        )
