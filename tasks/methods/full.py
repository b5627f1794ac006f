"""Full tuning: every weight learns. The measure that the other methods are held against.

The rate is that of TRL's SFT trainer; small models take more. What it writes is a whole model.
"""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from tasks.methods.method import Adapted, Material, Method, MethodSettings
from tasks.methods.parts.attaching import train_weights

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class FullSettings(MethodSettings):
    """Full tuning has nothing to set but its rate."""

    learning_rate: Annotated[float, Field(gt=0.0)] = 2e-5


def attach(
    model: "PreTrainedModel",
    settings: FullSettings,  # noqa: ARG001  (the rate is the trainer's)
    material: Material,  # noqa: ARG001  (needs no data to start)
) -> Adapted:
    """`model` with every weight learning."""
    return train_weights(model, [name for name, _ in model.named_parameters()])


METHOD = Method(
    name="full",
    summary="all weights",
    settings=FullSettings,
    attach=attach,
    cannot={
        "mixed_batch": "its weights take the place of the base's, and a batch has one base",
        "ppo": "reward model and policy share the base's weights and start from a LoRA adapter",
    },
)
