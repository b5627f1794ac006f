"""LoRA-Pro (Wang et al. 2024, arXiv:2407.18242): LoRA whose steps are near those of full tuning.

The gradients of A and B are corrected so that the change of the weight that they make together, s (dB A + B
dA), is the nearest of rank r to the full gradient (theorem 2.1). `lora_pro_optimizer` holds the closed
form.
"""

from typing import TYPE_CHECKING

from deploy.settings import Count, Positive
from tasks.methods.lora import LoraSettings, Targets, attach_lora
from tasks.methods.method import Adapted, Material, Method, MethodSettings
from tasks.methods.parts.targets import chosen_names

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from transformers import PreTrainedModel


class LoraProSettings(MethodSettings):
    """Settings of the adapter that the corrected gradients train."""

    rank: Count = 16
    alpha: Count = 32
    targets: Targets = "all-linear"
    trained_layers: Count | None = None
    learning_rate: Positive = 2e-4


def attach(model: "PreTrainedModel", settings: LoraProSettings, material: Material) -> Adapted:  # noqa: ARG001
    """`model` with a fresh LoRA and the optimiser that corrects its gradients."""
    names = chosen_names(model, settings.targets, key="lora_pro.targets")
    plain = LoraSettings.model_validate(settings.model_dump())
    adapted = attach_lora(model, plain, names)

    def optimizer(rate: float, decay: float) -> "Optimizer":
        from tasks.methods.parts.lora_pro_optimizer import LoraPro, pairs

        return LoraPro(pairs(model), scale=settings.alpha / settings.rank, lr=rate, weight_decay=decay)

    return Adapted(model=model, write=adapted.write, optimizer=optimizer)


NO_PARTS = "its optimiser solves equations over whole matrices"


METHOD = Method(
    name="lora_pro",
    summary="LoRA with gradients corrected towards those of full tuning",
    settings=LoraProSettings,
    attach=attach,
    cannot={"sharding": NO_PARTS, "zero3": NO_PARTS},
)
