"""Hybrids: different methods on different parts of one model, as He et al. mix them (2022, arXiv:2110.04366).

There are no gates that weigh the parts by input, as UniPELT has (Mao et al. 2022, arXiv:2110.07577).
Each part is a method with the modules that it works on; a prefix works on none. Parts are written side by
side, each in its own folder and its own format, so what is loaded is exactly what was saved.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from deploy.adapters.names import COMPOSED, CONFIG, KIND
from deploy.atomic import write_json
from deploy.settings import Count, Positive
from tasks.methods.adapter import AdapterSettings, attach_bottlenecks
from tasks.methods.lora import LoraSettings, attach_lora
from tasks.methods.method import NO_MERGE, Adapted, Material, Method, MethodSettings
from tasks.methods.parts.targets import chosen_names
from tasks.methods.prefix import METHOD as PREFIX
from tasks.methods.prefix import attach_prefix

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Names = Annotated[list[str], Field(min_length=1)]


class HybridSettings(MethodSettings):
    """Which modules get a LoRA, which an adapter, and how long the prefix is; nothing: none of it."""

    lora: Names | None = Field(default_factory=lambda: ["q_proj", "k_proj", "v_proj", "o_proj"])
    adapter: Names | None = Field(default_factory=lambda: ["down_proj"])
    prefix: Annotated[int, Field(ge=0)] = 10
    rank: Count = 16
    alpha: Count = 32
    width: Count = 64
    activation: Literal["relu", "gelu", "silu", "tanh"] = "gelu"
    learning_rate: Positive = 3e-4

    @model_validator(mode="after")
    def _parts_are_apart(self) -> "HybridSettings":
        both = sorted(set(self.lora or ()) & set(self.adapter or ()))
        if both:
            raise ValueError(f"{', '.join(both)} cannot have a LoRA and an adapter; give each module one")
        if sum((bool(self.lora), bool(self.adapter), bool(self.prefix))) < 2:
            raise ValueError("a hybrid has two parts or more of lora, adapter and prefix")
        return self


def attach(model: "PreTrainedModel", settings: HybridSettings, material: Material) -> Adapted:
    """`model` with all parts of the hybrid."""
    parts: dict[str, Adapted] = {}
    # Before anything is attached: a LoRA layer would show its inner linear maps as further names.
    low_rank = chosen_names(model, settings.lora or [], key="hybrid.lora")
    bottlenecks = chosen_names(model, settings.adapter or [], key="hybrid.adapter")
    if settings.lora:
        plain = LoraSettings(rank=settings.rank, alpha=settings.alpha, learning_rate=settings.learning_rate)
        parts["lora"] = attach_lora(model, plain, low_rank)
    if settings.adapter:
        inner = AdapterSettings(width=settings.width, activation=settings.activation)
        parts["adapter"] = attach_bottlenecks(model, inner, bottlenecks)
    if settings.prefix:
        parts["prefix"] = attach_prefix(model, settings.prefix, material)
    last = next((part for part in parts.values() if part.hidden is not None), None)
    return Adapted(
        model=model, write=lambda folder: _write(parts, folder), hidden=last.hidden if last else None
    )


def _write(parts: dict[str, Adapted], folder: Path) -> None:
    for name, part in parts.items():
        part.write(folder / name)
    write_json(folder / CONFIG, {KIND: COMPOSED, "parts": sorted(parts)})


METHOD = Method(
    name="hybrid",
    summary="LoRA, adapters and a prefix on different parts of one model",
    settings=HybridSettings,
    attach=attach,
    cannot={**PREFIX.cannot, "merge": f"{NO_MERGE}, and neither is an adapter"},
)
