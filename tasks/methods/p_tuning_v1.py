"""P-tuning (Liu et al. 2021, arXiv:2103.10385): embeddings before every prompt, made by a small network.

An LSTM with a perceptron behind it, as in the paper, a perceptron alone, or self-attention in place of the
LSTM. The network is kept in checkpoints, so training can go on; what is served is only what it makes.
"""

from typing import TYPE_CHECKING, Literal

from deploy.settings import Count, Positive
from tasks.methods.method import SOFT_PROMPT_CANNOT, Adapted, Material, Method, MethodSettings

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class PTuningV1Settings(MethodSettings):
    """Length of the soft prompt, and the network that makes it."""

    tokens: Count = 20
    encoder: Literal["lstm", "mlp", "attention"] = "lstm"
    encoder_width: Count = 256
    learning_rate: Positive = 1e-3


def attach(model: "PreTrainedModel", settings: PTuningV1Settings, material: Material) -> Adapted:  # noqa: ARG001
    """`model` with a soft prompt that a network makes."""
    from peft import PromptEncoder, PromptEncoderConfig

    from tasks.methods.parts.virtual_tokens import AttentionEncoder, attach_soft_prompt

    config = PromptEncoderConfig(
        task_type="CAUSAL_LM",
        num_virtual_tokens=settings.tokens,
        num_transformer_submodules=1,
        token_dim=model.get_input_embeddings().weight.shape[1],
        # Of attention PEFT knows nothing; it only loads what was made.
        encoder_reparameterization_type="LSTM" if settings.encoder == "lstm" else "MLP",
        encoder_hidden_size=settings.encoder_width,
    )
    attention = settings.encoder == "attention"
    made_by = AttentionEncoder(config) if attention else PromptEncoder(config)
    return attach_soft_prompt(model, config, made_by)


METHOD = Method(
    name="p_tuning_v1",
    summary="embeddings before every prompt, made by an LSTM, attention or a perceptron",
    settings=PTuningV1Settings,
    attach=attach,
    cannot=SOFT_PROMPT_CANNOT,
)
