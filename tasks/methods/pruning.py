"""Pruning, with tuning that recovers what it cost.

`magnitude`: the smallest weights of each matrix become zero (Han et al. 2015, arXiv:1506.02626). `wanda`:
the smallest by |weight| x norm of the input, compared within each output (Sun et al. 2023,
arXiv:2306.11695). `channels`: whole channels of the feed-forward parts are cut out, by the same measure, so
the model really gets smaller and faster (as LLM-Pruner does: Ma et al. 2023, arXiv:2305.11627). Recovery
tunes all that is left, or a LoRA whose product is masked with the same mask: a zero stays zero, through
weight decay and merging.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from deploy.settings import Count
from tasks.methods.method import Adapted, Material, Method, MethodSettings
from tasks.methods.parts.files import write_replaced
from tasks.methods.parts.targets import linear_modules

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PreTrainedModel


class PruningSettings(MethodSettings):
    """What is cut, how much of it, and how the model recovers."""

    kind: Literal["magnitude", "wanda", "channels"] = "wanda"
    share: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.5
    recovery: Literal["full", "lora"] = "lora"
    rank: Count = 16
    alpha: Count = 32
    calibration_rows: Count = 32
    learning_rate: Annotated[float, Field(gt=0.0)] = 2e-4


def attach(model: "PreTrainedModel", settings: PruningSettings, material: Material) -> Adapted:
    """`model`, pruned, with what recovers it learning."""
    from tasks.methods.parts import masks

    shapes = {name: tuple(part.shape) for name, part in model.named_parameters()}
    rows = material.rows[: settings.calibration_rows]
    if settings.kind == "channels":
        cut = masks.cut_channels(model, settings.share, masks.input_norms(model, rows))
        kept: dict[str, Tensor] = {}
    else:
        norms = masks.input_norms(model, rows) if settings.kind == "wanda" else None
        kept = masks.masks(linear_modules(model), settings.share, norms)
        cut = [f"{name}.weight" for name in kept]
        masks.apply(model, kept)
    if settings.recovery == "lora":
        return _with_lora(model, settings, kept, cut, shapes)
    for name, parameter in model.named_parameters():
        parameter.data = parameter.data.float()
        parameter.requires_grad_(True)
        if name in {f"{module}.weight" for module in kept}:
            masks.hold(parameter, kept[name.removesuffix(".weight")])
    everything = [name for name, _ in model.named_parameters()]
    return Adapted(
        model=model, write=_writer(model, lambda: dict(model.named_parameters()), everything, shapes)
    )


def _with_lora(
    model: "PreTrainedModel",
    settings: PruningSettings,
    kept: "dict[str, Tensor]",
    cut: Sequence[str],
    shapes: dict[str, tuple[int, ...]],
) -> Adapted:
    from tasks.methods.parts import masks

    modules = linear_modules(model)
    masks.attach_masked_lora(modules, kept, rank=settings.rank, alpha=settings.alpha)
    names = sorted({*cut, *(f"{name}.weight" for name in modules)})

    def weights() -> "dict[str, nn.Parameter | Tensor]":
        return {f"{name}.weight": module.weight for name, module in modules.items()}

    return Adapted(model=model, write=_writer(model, weights, names, shapes))


def _writer(
    model: "PreTrainedModel",  # noqa: ARG001  (kept alive by the weights)
    weights: "Callable[[], dict[str, nn.Parameter | Tensor]]",
    names: Sequence[str],
    shapes: dict[str, tuple[int, ...]],
) -> "Callable[[Path], None]":
    def write(folder: Path) -> None:
        found = weights()
        write_replaced({name: found[name].detach() for name in names}, folder, shapes=shapes)

    return write


NO_PARTS = "its masks lie beside the weights and would have to be spread with them"


METHOD = Method(
    name="pruning",
    summary="weights or feed-forward channels are taken out, then what is left recovers",
    settings=PruningSettings,
    attach=attach,
    cannot={
        "mixed_batch": "its weights take the place of the base's, and a batch has one base",
        "ppo": "reward model and policy share the base's weights and start from a LoRA adapter",
        "sharding": NO_PARTS,
        "zero3": NO_PARTS,
    },
    cannot_with={
        "kind: wanda": {"images": "it measures by rows of tokens; kind magnitude measures nothing"},
        "kind: channels": {"images": "it knows gated feed-forward parts alone, which these models lack"},
    },
)
