"""Texts as a head reads them: the state of the last token. Import this module late: torch is needed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers.cache_utils import DynamicCache

from deploy.adapters.adapter import VirtualTokens
from tasks.methods.method import Hidden
from tasks.recipes.heads.headed import States

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Batch = Sequence[Sequence[int]]


def tokens(
    tokenizer: "PreTrainedTokenizerBase", texts: Sequence[str], *, max_length: int
) -> tuple[list[list[int]], int]:
    """The tokens of each text, at most `max_length`, and how many were cut; an empty one has one token."""
    whole = [tokenizer.encode(text, add_special_tokens=False) or [tokenizer.eos_token_id] for text in texts]
    return [ids[:max_length] for ids in whole], sum(len(ids) > max_length for ids in whole)


def last_states(
    model: PreTrainedModel, virtual_tokens: VirtualTokens | None, hidden: Hidden | None
) -> States:
    """Gives the state of the last token of each row, [rows, width].

    Rows are padded on the right, where a causal model does not look.
    """

    def final(ids: Tensor) -> Tensor:
        if hidden is not None:
            return hidden(ids, None)
        cache = None
        if virtual_tokens is not None:
            cache = DynamicCache(config=model.config)
            virtual_tokens.fill(model, cache)
            cache.batch_repeat_interleave(len(ids))
        found = model.get_decoder()(input_ids=ids, past_key_values=cache, use_cache=cache is not None)
        states: Tensor = found.last_hidden_state
        return states

    def states(batch: Batch) -> Tensor:
        longest = max(map(len, batch))
        ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in batch], device=model.device)
        last = torch.tensor([len(row) - 1 for row in batch], device=model.device)
        return final(ids)[torch.arange(len(batch), device=model.device), last]

    return states
