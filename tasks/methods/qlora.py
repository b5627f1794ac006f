"""QLoRA (Dettmers et al. 2023, arXiv:2305.14314): LoRA over a base whose weights are kept in four bits.

NF4 with double quantisation, as in the paper, whose rank, alpha, rate and dropout are the defaults. Weights
are rounded as they load, so the unrounded ones are never in memory together; on a CPU four bits cost time,
which is said. What was learned belongs to the rounded base, and over the unrounded one it would answer
differently (peft#2321): the adapter, a plain one of PEFT in `lora`, goes with a note of what is rounded, and
whoever serves it rounds the base likewise. On a GPU the optimiser's moments are paged, as in the paper: where
memory runs short for a long row, the driver moves them out of its way. That has not been tried on a GPU.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from deploy.adapters.names import CONFIG, FOUR_BITS, KIND
from deploy.atomic import write_json
from deploy.settings import Count, Positive
from tasks.errors import TrainingError
from tasks.methods.lora import LoraSettings, Targets, attach_lora
from tasks.methods.method import Adapted, Material, Method, MethodSettings, numbers
from tasks.methods.parts.four_bits import MARK, load_in_four_bits, quantise
from tasks.methods.parts.targets import chosen_names, linear_modules

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from transformers import PreTrainedModel

LORA = "lora"  # the folder with the adapter alone
LARGE = 13e9  # weights of a base from which on the paper drops fewer inputs (section 5.1)


class QloraSettings(MethodSettings):
    """Settings of the adapter over the quantised base."""

    rank: Count = 64
    alpha: Count = 16
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] | None = None  # null: 0.1, above 13 billion weights 0.05
    targets: Targets = "all-linear"
    trained_layers: Count | None = None
    learning_rate: Positive = 2e-4
    paged: bool | None = None  # moments leave a GPU that is short of memory; null: where there is one


def attach(model: "PreTrainedModel", settings: QloraSettings, material: Material) -> Adapted:  # noqa: ARG001
    """`model` with its linear weights in four bits and a fresh LoRA beside them.

    Raises:
        TrainingError: bitsandbytes, which does the rounding, is not installed, or moments are to be paged and
            there is no GPU.
    """
    optimizer = _paged(model) if is_paged(settings, model.device.type) else None
    if not hasattr(model, MARK):
        quantise(model)
    names = chosen_names(model, settings.targets, key="qlora.targets")
    if model.device.type == "cpu":
        print("qlora on a CPU: four bits save memory here, and cost time", flush=True)
    rounded = {
        f"{name}.weight": [module.out_features, module.in_features]
        for name, module in linear_modules(model).items()
    }
    adapted = attach_lora(model, low_rank(settings, sum(map(numbers, model.parameters()))), names)
    # PEFT has read it. TRL would cast what learns to bfloat16 by it, in which small steps are lost.
    delattr(model, MARK)

    def write(folder: Path) -> None:
        adapted.write(folder / LORA)
        dtype = str(model.dtype).removeprefix("torch.")
        write_json(folder / CONFIG, {KIND: FOUR_BITS, "parts": [LORA], "rounded": rounded, "dtype": dtype})

    return Adapted(model=model, write=write, optimizer=optimizer)


def is_paged(settings: QloraSettings, device: str) -> bool:
    """Whether moments are paged on a device of this type.

    Raises:
        TrainingError: they are to be, and it is no GPU.
    """
    if settings.paged and device not in ("cuda", "meta"):
        raise TrainingError(
            f"qlora.paged is true, and the model is on the {device}: moments are paged between a GPU and its "
            "host. Leave it at null, which pages them where there is a GPU"
        )
    return device == "cuda" and settings.paged is not False


def _paged(model: "PreTrainedModel") -> "Callable[[float, float], Optimizer]":
    """AdamW with moments in float32 that are paged (section 3), of what learns when it is made."""

    def made(rate: float, decay: float) -> "Optimizer":
        from bitsandbytes.optim import PagedAdamW32bit
        from torch.optim import Optimizer

        class Paged(PagedAdamW32bit):
            def state_dict(self) -> dict[str, Any]:
                """The moments as any optimiser gives them: its own hides them in a mapping, for FSDP."""
                return Optimizer.state_dict(self)

        learns = [part for part in model.parameters() if part.requires_grad]
        found: Optimizer = Paged(learns, lr=rate, weight_decay=decay)
        return found

    return made


def low_rank(settings: QloraSettings, weights: int) -> LoraSettings:
    """The settings of the adapter alone, for a base of so many weights."""
    usual = 0.1 if weights <= LARGE else 0.05
    dropout = usual if settings.dropout is None else settings.dropout
    plain = settings.model_dump(exclude={"paged"})
    return LoraSettings.model_validate(plain | {"dropout": dropout})


METHOD = Method(
    name="qlora",
    summary="LoRA over a base in four bits (NF4, double quantisation)",
    settings=QloraSettings,
    attach=attach,
    load=load_in_four_bits,
    cannot={
        "mixed_batch": "its weights are those of the rounded base, and a batch has one base",
        "rlhf": "reward model and policy start from a LoRA adapter of the unrounded base",
        "images": "such models are small, and rounding them has not been tried",
        "sharding": "PyTorch spreads no weights that are packed into four bits",
        "zero3": "DeepSpeed spreads no weights that are packed into four bits",
    },
)
