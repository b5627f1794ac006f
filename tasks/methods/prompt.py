"""Prompt tuning (Lester et al. 2021, arXiv:2104.08691): embeddings before every prompt.

They start as those of a text, or of words drawn from the vocabulary: the paper found both better than noise.
Its rate of 0.3 is for T5 with Adafactor; under AdamW some hundredths are usual.
"""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from deploy.settings import Count, Positive
from tasks.methods.method import SOFT_PROMPT_CANNOT, Adapted, Material, Method, MethodSettings

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class PromptTuningSettings(MethodSettings):
    """Length of the soft prompt and the text that it starts from; without one, words of the vocabulary."""

    tokens: Count = 20
    text: Annotated[str, Field(min_length=1)] | None = None
    learning_rate: Positive = 3e-2


def attach(model: "PreTrainedModel", settings: PromptTuningSettings, material: Material) -> Adapted:
    """`model` with a soft prompt."""
    import torch
    from peft import PromptTuningConfig
    from torch import nn

    from tasks.methods.parts.virtual_tokens import attach_soft_prompt

    words = model.get_input_embeddings().weight.detach().float()
    config = PromptTuningConfig(
        task_type="CAUSAL_LM",
        num_virtual_tokens=settings.tokens,
        num_transformer_submodules=1,
        token_dim=words.shape[1],
    )
    if settings.text is None:
        chosen = torch.randint(len(words), (settings.tokens,))
    else:
        assert material.tokenizer is not None
        text = material.tokenizer.encode(settings.text, add_special_tokens=False)
        repeated = text * -(-settings.tokens // len(text))
        chosen = torch.tensor(repeated[: settings.tokens])
    encoder = nn.Embedding(settings.tokens, words.shape[1])
    encoder.weight.data.copy_(words[chosen])
    return attach_soft_prompt(model, config, encoder)


METHOD = Method(
    name="prompt",
    summary="embeddings before every prompt, from a text or from words of the vocabulary",
    settings=PromptTuningSettings,
    attach=attach,
    cannot=SOFT_PROMPT_CANNOT,
)
