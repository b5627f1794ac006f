"""Pruning, with tuning that recovers what it cost.

`magnitude`: the smallest weights of each matrix become zero (Han et al. 2015, arXiv:1506.02626). `wanda`:
the smallest by |weight| x norm of the input, compared within each output, each matrix behind those already
pruned (Sun et al. 2023, arXiv:2306.11695). `channels`: whole channels of the feed-forward parts are cut out,
those with the smallest column x norm of the activation, so the model really gets smaller and faster. That is
Wanda's measure for structures; LLM-Pruner (Ma et al. 2023, arXiv:2305.11627), which also recovers by LoRA,
weighs by gradients and cuts attention heads as well. Recovery tunes all that is left, or a LoRA whose product
is masked with the same mask: a zero stays zero, through weight decay and merging.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from deploy.errors import SettingsError
from deploy.settings import Count, Positive
from tasks.methods.method import REPLACING_CANNOT, Adapted, Material, Method, MethodSettings
from tasks.methods.parts.attaching import train_weights
from tasks.methods.parts.files import write_replaced
from tasks.methods.parts.targets import linear_modules

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel


class PruningSettings(MethodSettings):
    """What is cut, how much of it, and how the model recovers."""

    kind: Literal["magnitude", "wanda", "channels"] = "wanda"
    share: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.5
    recovery: Literal["full", "lora"] = "lora"
    rank: Count = 16
    alpha: Count = 32
    calibration_rows: Count = 32
    learning_rate: Positive = 2e-4


def attach(model: "PreTrainedModel", settings: PruningSettings, material: Material) -> Adapted:
    """`model`, pruned, with what recovers it learning.

    Raises:
        SettingsError: there is nothing that it could prune.
    """
    from tasks.methods.parts import masks

    modules = linear_modules(model)
    if not modules:
        raise SettingsError(
            f"sft.method pruning takes weights out of linear modules, and a {type(model).__name__} has none "
            "(GPT-2 has Conv1D in their place); choose another method"
        )
    shapes = {name: tuple(part.shape) for name, part in model.named_parameters()}
    rows = material.rows[: settings.calibration_rows]
    cut: list[str] = []
    kept: dict[str, Tensor] = {}
    if settings.kind == "channels":
        cut = masks.cut_channels(model, settings.share, masks.input_norms(model, modules, rows))
    elif settings.kind == "wanda":
        kept = masks.prune_wanda(model, modules, settings.share, rows)
    else:
        kept = masks.prune_magnitude(modules, settings.share)
    if settings.recovery == "full":
        adapted = train_weights(model, list(shapes), shapes=shapes)
        for name, mask in kept.items():
            masks.hold(modules[name].weight, mask)
        return adapted
    masks.attach_masked_lora(modules, kept, rank=settings.rank, alpha=settings.alpha)

    def write(folder: Path) -> None:
        weights = {f"{name}.weight": module.weight.detach() for name, module in modules.items()}
        biases = {name: model.get_parameter(name).detach() for name in cut if name.endswith(".bias")}
        write_replaced({**weights, **biases}, folder, shapes=shapes)

    return Adapted(model=model, write=write)


NO_PARTS = "its masks lie beside the weights and would have to be spread with them"


METHOD = Method(
    name="pruning",
    summary="weights or feed-forward channels are taken out, then what is left recovers",
    settings=PruningSettings,
    attach=attach,
    cannot={**REPLACING_CANNOT, "sharding": NO_PARTS, "zero3": NO_PARTS},
    cannot_with={
        "kind: wanda": {"images": "it measures by rows of tokens; kind magnitude measures nothing"},
        "kind: channels": {"images": "it knows gated feed-forward parts alone, which these models lack"},
    },
)
