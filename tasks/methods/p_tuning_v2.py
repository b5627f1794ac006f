"""P-tuning v2 (Liu et al. 2022, arXiv:2110.07602): a prefix in every layer, trained directly.

It starts as the keys and values of real tokens. The paper says nothing of its start; noise as large as keys
are drowns the prompt of a small model.
"""

from typing import TYPE_CHECKING

from deploy.settings import Count, Positive
from tasks.methods.method import Adapted, Material, Method, MethodSettings
from tasks.methods.prefix import METHOD as PREFIX
from tasks.methods.prefix import attach_prefix

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class PTuningV2Settings(MethodSettings):
    """Length of the prefix."""

    tokens: Count = 20
    learning_rate: Positive = 5e-3


def attach(model: "PreTrainedModel", settings: PTuningV2Settings, material: Material) -> Adapted:
    """`model` with a prefix of its own keys and values."""
    return attach_prefix(model, settings.tokens, material)


METHOD = Method(
    name="p_tuning_v2",
    summary="keys and values before every prompt, trained directly",
    settings=PTuningV2Settings,
    attach=attach,
    cannot=PREFIX.cannot,
)
