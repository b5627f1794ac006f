"""Prefix tuning (Li and Liang 2021, arXiv:2101.00190): keys and values before those of every prompt.

Trained through a two-layer perceptron, which the paper found to be more stable than training the prefix
itself; only what it makes is kept. It starts as the keys and values of real tokens, the first of the rows:
the model as if it had read them (section 7.2 of the paper: better than noise, above all with few rows).
"""

from typing import TYPE_CHECKING

from deploy.settings import Count, Positive
from tasks.methods.method import SOFT_PROMPT_CANNOT, Adapted, Material, Method, MethodSettings

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class PrefixSettings(MethodSettings):
    """Length of the prefix and width of the perceptron."""

    tokens: Count = 20
    encoder_width: Count = 512
    learning_rate: Positive = 5e-4


def attach(model: "PreTrainedModel", settings: PrefixSettings, material: Material) -> Adapted:
    """`model` with a reparameterised prefix."""
    return attach_prefix(model, settings.tokens, material, encoder_width=settings.encoder_width)


def attach_prefix(
    model: "PreTrainedModel", tokens: int, material: Material, *, encoder_width: int | None = None
) -> Adapted:
    """`model` with a prefix of `tokens`, trained through a perceptron of this width, or directly without."""
    from peft import PrefixEncoder, PrefixTuningConfig

    from tasks.methods.parts.virtual_tokens import attach_key_values, base_shape, start_as

    config = PrefixTuningConfig(
        task_type="CAUSAL_LM",
        num_virtual_tokens=tokens,
        num_transformer_submodules=1,
        encoder_hidden_size=encoder_width,
        prefix_projection=encoder_width is not None,
        **base_shape(model),
    )
    encoder = PrefixEncoder(config)
    text = [token for row in material.rows for token in row][:tokens]
    if text:
        start_as(model, encoder, (text * tokens)[:tokens])
    return attach_key_values(model, config, encoder)


METHOD = Method(
    name="prefix",
    summary="keys and values before every prompt, trained through a perceptron",
    settings=PrefixSettings,
    attach=attach,
    cannot={
        **SOFT_PROMPT_CANNOT,
        "gradient_checkpointing": "recomputed layers would find the prefix in the cache a second time",
    },
)
