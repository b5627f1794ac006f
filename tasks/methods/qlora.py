"""QLoRA (Dettmers et al. 2023, arXiv:2305.14314): LoRA over a base whose weights are kept in four bits.

NF4 with double quantisation, as in the paper, whose rank, alpha and rate for models of this kind are the
defaults. Four bits save memory while training; on a CPU they cost time, which is said. What was learned
belongs to the rounded base: the result is that base, dequantised, with the adapter put into it, and not an
adapter for the unrounded one, which would answer differently (peft#2321). The adapter alone is written
beside it, in `lora`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from deploy.adapters.names import SLOT
from deploy.settings import Count, Positive
from tasks.errors import TrainingError
from tasks.methods.lora import LoraSettings, Targets, attach_lora
from tasks.methods.method import Adapted, Material, Method, MethodSettings
from tasks.methods.parts.files import write_replaced
from tasks.methods.parts.targets import chosen_names, linear_modules

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

LORA = "lora"  # the folder with the adapter alone


class QloraSettings(MethodSettings):
    """Settings of the adapter over the quantised base."""

    rank: Count = 64
    alpha: Count = 16
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.05
    targets: Targets = "all-linear"
    trained_layers: Count | None = None
    learning_rate: Positive = 2e-4


def attach(model: "PreTrainedModel", settings: QloraSettings, material: Material) -> Adapted:  # noqa: ARG001
    """`model` with its linear weights in four bits and a fresh LoRA beside them.

    Raises:
        TrainingError: bitsandbytes, which does the rounding, is not installed.
    """
    names = chosen_names(model, settings.targets, key="qlora.targets")
    if model.device.type == "cpu":
        print("qlora on a CPU: four bits save memory here, and cost time", flush=True)
    quantise(model)
    adapted = attach_lora(model, low_rank(settings), names)

    def write(folder: Path) -> None:
        write_replaced(merged(model), folder)
        adapted.write(folder / LORA)

    return Adapted(model=model, write=write)


def low_rank(settings: QloraSettings) -> LoraSettings:
    """The settings of the adapter alone."""
    return LoraSettings.model_validate(settings.model_dump())


def quantise(model: "PreTrainedModel") -> None:
    """Replace the linear layers below the head by ones that keep their weights in NF4.

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
    for name, linear in found.items():
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
            weight.data, requires_grad=False, compress_statistics=True, quant_type="nf4"
        )
        if linear.bias is not None:
            small.bias = linear.bias
        # Off the training path bitsandbytes would repack the weights for some processors and compute in
        # bfloat16: other numbers than those that were trained with.
        small.support_avx512bf16_for_cpu = False
        parent, _, last = name.rpartition(".")
        setattr(model.get_submodule(parent), last, small.to(weight.device))  # moving it is what rounds it
    model.is_loaded_in_4bit = True  # PEFT asks for it


def merged(model: "PreTrainedModel") -> "Mapping[str, Tensor]":
    """Every quantised weight, dequantised, with the adapter put into it, by its name in the base."""
    from bitsandbytes.functional import dequantize_4bit

    result: dict[str, Tensor] = {}
    for name, module in model.named_modules():
        base: Any = getattr(module, "base_layer", module)
        state = getattr(getattr(base, "weight", None), "quant_state", None)
        if state is None or name.endswith(".base_layer"):
            continue
        weight = dequantize_4bit(base.weight.data, state).float()
        if base is not module:
            layer: Any = module
            weight = weight + layer.get_delta_weight(SLOT).detach().float()
        result[f"{name}.weight"] = weight
    return result


METHOD = Method(
    name="qlora",
    summary="LoRA over a base in four bits (NF4, double quantisation)",
    settings=QloraSettings,
    attach=attach,
    cannot={
        "mixed_batch": "its weights are those of the rounded base, and a batch has one base",
        "ppo": "reward model and policy start from a LoRA adapter of the unrounded base",
        "images": "such models are small, and rounding them has not been tried",
        "sharding": "PyTorch spreads no weights that are packed into four bits",
        "zero3": "DeepSpeed spreads no weights that are packed into four bits",
    },
)
