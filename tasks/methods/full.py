"""Full tuning: every weight learns. The measure that the other methods are held against.

The rate is that of TRL's SFT trainer; small models take more. What it writes is a whole model.
"""

from typing import TYPE_CHECKING

from deploy.settings import Positive
from tasks.methods.method import REPLACING_CANNOT, Adapted, Material, Method, MethodSettings
from tasks.methods.parts.attaching import train_weights

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class FullSettings(MethodSettings):
    """Full tuning has nothing to set but its rate."""

    learning_rate: Positive = 2e-5


def attach(model: "PreTrainedModel", settings: FullSettings, material: Material) -> Adapted:  # noqa: ARG001
    """`model` with every weight learning."""
    return train_weights(model, [name for name, _ in model.named_parameters()])


METHOD = Method(
    name="full",
    summary="all weights",
    settings=FullSettings,
    attach=attach,
    cannot=REPLACING_CANNOT,
)
