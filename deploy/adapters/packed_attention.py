"""Attention with one product for queries, keys and values. Imports torch: import it where it is used.

Of the families whose attention is that of Llama. Three products over the same states take twice as long as
one where a few rows are decoded; and keys and values need not be repeated for each head that shares them,
which transformers does for its other devices' sake. What comes out is the same, up to how oneDNN rounds a
wider product of many tokens.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.models.gemma.modeling_gemma import GemmaAttention
from transformers.models.llama.modeling_llama import LlamaAttention
from transformers.models.mistral.modeling_mistral import MistralAttention
from transformers.models.qwen2.modeling_qwen2 import Qwen2Attention

PARTS = ("q_proj", "k_proj", "v_proj")  # in the order in which one product gives them
_ALIKE = (LlamaAttention, MistralAttention, Qwen2Attention, GemmaAttention)


def joins(module: nn.Module) -> bool:
    """Whether `module` is attention whose three products may be one."""
    return isinstance(module, _ALIKE) and module.config._attn_implementation == "sdpa"


class PackedAttention:
    """Stands in for the forward of `attention`; `product` gives its queries, keys and values at once."""

    def __init__(self, attention: nn.Module, product: Callable[[Tensor], Tensor]) -> None:
        self._own: Any = attention
        self._product = product

    def __call__(
        self,
        hidden_states: Tensor,
        position_embeddings: tuple[Tensor, Tensor],
        attention_mask: Tensor | None = None,
        past_key_values: Any = None,
        **_: Any,
    ) -> tuple[Tensor, None]:
        """The mixed states [rows, tokens, width], and no weights."""
        own = self._own
        rows, tokens = hidden_states.shape[:2]
        heads = self._product(hidden_states).view(rows, tokens, -1, own.head_dim).transpose(1, 2)
        groups = own.num_key_value_groups
        shared = heads.shape[1] // (groups + 2)
        turned, values = heads[:, :-shared], heads[:, -shared:]
        cos, sin = (part.unsqueeze(1) for part in position_embeddings)
        first, second = turned.chunk(2, dim=-1)
        turned = turned * cos + torch.cat((-second, first), dim=-1) * sin
        queries, keys = turned[:, :-shared], turned[:, -shared:]
        if past_key_values is not None:
            keys, values = past_key_values.update(keys, values, own.layer_idx)
        if tokens == 1:  # all heads that share keys are as many queries of them
            queries = queries.reshape(rows, shared, groups, -1)
        mixed = functional.scaled_dot_product_attention(
            queries,
            keys,
            values,
            attn_mask=attention_mask,
            scale=own.scaling,
            is_causal=tokens > 1 and attention_mask is None,
            enable_gqa=tokens > 1 and groups > 1,
        )
        mixed = mixed.reshape(rows, -1, tokens, own.head_dim).transpose(1, 2).reshape(rows, tokens, -1)
        return own.o_proj(mixed), None
