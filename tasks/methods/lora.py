"""LoRA (Hu et al. 2021, arXiv:2106.09685): each weight gains the product of two thin matrices.

Options: rsLoRA (Kalajdzievski 2023, arXiv:2312.03732), DoRA (Liu et al. 2024, arXiv:2402.09353), PiSSA (Meng
et al. 2024, arXiv:2404.02948) and LoRA+ (Hayou et al. 2024, arXiv:2402.12354). The defaults follow QLoRA's
finding that all linear modules need an adapter, with alpha twice the rank.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from deploy.adapters.names import WEIGHTS, on_disk
from deploy.errors import SettingsError
from deploy.settings import Count, Positive
from tasks.methods.method import Adapted, Material, Method, MethodSettings
from tasks.methods.parts.attaching import inject
from tasks.methods.parts.files import write_peft_config, write_tensors
from tasks.methods.parts.targets import chosen_names, layers_of, maps, sides

if TYPE_CHECKING:
    from peft import LoraConfig
    from torch import Tensor, nn
    from torch.optim import Optimizer
    from transformers import PreTrainedModel

Targets = Literal["all-linear"] | Annotated[list[str], Field(min_length=1)]


class LoraSettings(MethodSettings):
    """Settings of LoRA and its variants."""

    rank: Count = 16
    alpha: Count = 32
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    targets: Targets = "all-linear"
    trained_layers: Count | None = None
    variant: Literal["lora", "rslora", "dora", "pissa"] = "lora"
    plus_ratio: Annotated[float, Field(ge=1.0)] = 1.0
    learning_rate: Positive = 2e-4

    @model_validator(mode="after")
    def _pissa_has_no_dropout(self) -> "LoraSettings":
        if self.variant == "pissa" and self.dropout:
            raise ValueError(
                "variant pissa starts from the weights themselves and takes no dropout; set it to 0"
            )
        return self


def attach(model: "PreTrainedModel", settings: LoraSettings, material: Material) -> Adapted:  # noqa: ARG001
    """`model` with a fresh LoRA on its topmost layers; it starts as the identity."""
    names = chosen_names(model, settings.targets, key="lora.targets")
    return attach_lora(model, settings, names)


def attach_lora(model: "PreTrainedModel", settings: LoraSettings, names: Sequence[str]) -> Adapted:
    """`model` with a fresh LoRA on the modules whose last names are `names`.

    Raises:
        SettingsError: the rank is larger than a matrix.
    """
    from peft import LoraConfig

    layers = layers_of(model, settings.trained_layers)
    check_rank(model, settings.rank, names)
    turned = _turned(model, names)
    if turned and settings.variant in ("dora", "pissa"):
        raise SettingsError(
            f"sft.lora.variant {settings.variant} is not for {turned[0]}, whose weight stands "
            "the other way round (Conv1D, as in GPT-2); choose lora or rslora"
        )
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=list(names),
        layers_to_transform=list(layers),
        task_type="CAUSAL_LM",
        use_rslora=settings.variant == "rslora",
        use_dora=settings.variant == "dora",
        fan_in_fan_out=bool(turned),
        init_lora_weights="pissa" if settings.variant == "pissa" else True,
    )
    inject(config, model)
    started = lora_tensors(model) if settings.variant == "pissa" else {}
    return Adapted(
        model=model,
        write=lambda folder: _write(model, config, started, folder),
        optimizer=_plus(model, settings.plus_ratio) if settings.plus_ratio != 1.0 else None,
    )


def check_rank(model: "PreTrainedModel", rank: int, names: Sequence[str]) -> None:
    """Refuse a rank that one of the matrices cannot have.

    Raises:
        SettingsError: it is larger than the smaller side of one.
    """
    for name, module in maps(model).items():
        both = sides(module)
        if name.rpartition(".")[2] in names and rank > min(both):
            raise SettingsError(
                f"sft: rank {rank} is larger than the smaller side of {name} ({both[0]} x {both[1]}); "
                f"choose {min(both)} or less"
            )


def _turned(model: "PreTrainedModel", names: Sequence[str]) -> list[str]:
    """Those of the chosen modules that are GPT-2's, by their full name; no model has both kinds."""
    from torch import nn

    return [
        name
        for name, module in maps(model).items()
        if name.rpartition(".")[2] in names and not isinstance(module, nn.Linear)
    ]


def lora_tensors(model: "nn.Module") -> "dict[str, Tensor]":
    """The adapter's tensors by the names that PEFT gives them in a file, copied."""
    found = {
        on_disk(name): tensor.detach().clone()
        for name, tensor in model.state_dict().items()
        if ".lora_" in name
    }
    # PEFT keeps DoRA's magnitudes in a module of their own, and leaves its `.weight` out in the file.
    return {name.replace("magnitude_vector.weight", "magnitude_vector"): part for name, part in found.items()}


def _write(
    model: "PreTrainedModel", config: "LoraConfig", started: "dict[str, Tensor]", folder: Path
) -> None:
    tensors = lora_tensors(model)
    changes: dict[str, Any] = {}
    if started:
        tensors = _since(started, tensors)
        changes = {"r": 2 * config.r, "lora_alpha": 2 * config.lora_alpha, "init_lora_weights": True}
    write_peft_config(config, folder, **changes)
    write_tensors(tensors, folder / WEIGHTS)


def _since(started: "dict[str, Tensor]", now: "dict[str, Tensor]") -> "dict[str, Tensor]":
    """What PiSSA has learned as plain LoRA of twice the rank: B A - B0 A0 = [B, -B0] [A; A0].

    PiSSA takes its start out of the base's weights. Saved so, it stands on the untouched base, and needs no
    decomposition, which another seed would make differently, to be loaded.
    """
    import torch

    return {
        name: torch.cat([tensor, started[name]])
        if name.endswith("lora_A.weight")
        else torch.cat([tensor, -started[name]], dim=1)
        for name, tensor in now.items()
    }


def _plus(model: "PreTrainedModel", ratio: float) -> "Callable[[float, float], Optimizer]":
    """LoRA+: B learns `ratio` times as fast as A."""

    def optimizer(rate: float, decay: float) -> "Optimizer":
        from torch.optim import AdamW

        named = [(name, part) for name, part in model.named_parameters() if part.requires_grad]
        slow = [part for name, part in named if "lora_B" not in name]
        fast = [part for name, part in named if "lora_B" in name]
        groups = [{"params": slow, "lr": rate}, {"params": fast, "lr": rate * ratio}]
        return AdamW(groups, lr=rate, weight_decay=decay)

    return optimizer


METHOD = Method(
    name="lora",
    summary="two thin matrices beside each weight; rsLoRA, DoRA, PiSSA and LoRA+ as options",
    settings=LoraSettings,
    attach=attach,
    cannot_with={
        "variant: dora": {
            "mixed_batch": "PEFT's adapter_names refuses DoRA",
            "rlhf": "reward model and policy share layers by sums of products, and DoRA is more than one",
        }
    },
)
