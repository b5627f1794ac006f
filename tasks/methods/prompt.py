"""Prompt tuning (Lester et al. 2021, arXiv:2104.08691): embeddings before every prompt.

They start as those of a text, or of tokens drawn from the commonest of the rows: the paper, which draws from
the 5,000 commonest of its vocabulary, found both better than noise.
Its rate of 0.3 is for T5 with Adafactor; under AdamW some hundredths are usual.
"""

from collections import Counter
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from deploy.settings import Count, Positive
from tasks.methods.method import SOFT_PROMPT_CANNOT, Adapted, Material, Method, MethodSettings

if TYPE_CHECKING:
    from transformers import PreTrainedModel


COMMON = 5_000  # tokens that are called common


class PromptTuningSettings(MethodSettings):
    """Length of the soft prompt and the text that it starts from; without one, common tokens of the rows."""

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
        counts = Counter(token for row in material.rows for token in row)
        common = [token for token, _ in counts.most_common(COMMON)] or list(range(len(words)))
        chosen = torch.tensor(common)[torch.randint(len(common), (settings.tokens,))]
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
    summary="embeddings before every prompt, from a text or from common tokens",
    settings=PromptTuningSettings,
    attach=attach,
    cannot=SOFT_PROMPT_CANNOT,
)
