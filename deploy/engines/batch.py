"""The rows that are decoded together: how their prompts are read, and what follows each next token.

Faster than `generate` of transformers on a CPU, for three reasons: the cache grows inside buffers that are
allocated once instead of being concatenated at each token, a prefix that all prompts share is computed once,
and rows that have ended leave the batch.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deploy.adapters.adapter import VirtualTokens
from deploy.engines.prefix import common_prefix

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel
    from transformers.cache_utils import Cache

    from deploy.engines.heads import Head

MIN_SHARED_PREFIX = 16  # a shorter one does not pay for its own forward pass
_WIDTHS = 16  # padded rows are a multiple of it wide: oneDNN makes code for each new number of tokens


@dataclass(slots=True)
class Batch:
    """The rows being decoded: their numbers, which columns of the cache they see, their last positions."""

    rows: list[int]
    seen: "torch.Tensor"
    position: "torch.Tensor"
    cache: "Cache"
    ended: set[int] = field(default_factory=set)


def prefilled(
    model: "PreTrainedModel",
    prompts: Sequence[Sequence[int]],
    new_tokens: int,
    virtual_tokens: VirtualTokens | None,
    *,
    head: "Head | None" = None,
) -> tuple[Batch, "torch.Tensor"]:
    """Read all prompts, left-padded behind virtual tokens and shared prefix; the logits that follow each.

    The `head` of all of them has been read before, by a model whose cache forgets nothing.
    """
    import torch

    from deploy.engines.growing import cache_for

    longest = max(map(len, prompts))
    columns = virtual_tokens.columns if virtual_tokens else 0
    cache, plain = cache_for(model, columns + longest + _WIDTHS + new_tokens)
    if virtual_tokens:
        virtual_tokens.fill(model, cache)
    prefix = common_prefix(prompts) if plain and len(prompts) > 1 else 0
    if head:
        prefix = head.tokens
        head.fill(cache)
    elif prefix < MIN_SHARED_PREFIX:
        prefix = 0
    else:
        shared = torch.tensor([prompts[0][:prefix]], device=model.device)
        model(input_ids=shared, past_key_values=cache, use_cache=True, logits_to_keep=1)
    if prefix or virtual_tokens:
        cache.batch_repeat_interleave(len(prompts))
    width = longest - prefix
    if head:
        width = -(-width // _WIDTHS) * _WIDTHS
    begin = columns + prefix
    tokens = torch.zeros((len(prompts), width), dtype=torch.long)
    seen = torch.ones((len(prompts), begin + width), dtype=torch.long)
    for row, prompt in enumerate(prompts):
        rest = torch.tensor(prompt[prefix:])
        tokens[row, width - len(rest) :] = rest
        seen[row, begin : begin + width - len(rest)] = 0
    seen = seen.to(model.device)
    # Padding has a place as well: families with learned positions look theirs up.
    positions = (seen.cumsum(1) - 1).clamp(min=0)[:, begin:]
    logits = model(
        input_ids=tokens.to(model.device),
        attention_mask=seen,
        position_ids=positions,
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    ).logits[:, -1]
    return Batch(list(range(len(prompts))), seen, positions[:, -1:], cache), logits


def reading(
    model: "PreTrainedModel",
    prompt: Sequence[int],
    new_tokens: int,
    virtual_tokens: VirtualTokens | None,
    *,
    piece: int,
    head: "Head | None" = None,
) -> "Generator[None, None, tuple[Batch, torch.Tensor]]":
    """What `prefilled` gives for one prompt, read in pieces of so many tokens: between two of them it yields.

    Its `head` has been read before. A cache that forgets, as one with a sliding window does, reads the prompt
    as one piece.
    """
    import torch

    from deploy.engines.growing import cache_for

    columns = virtual_tokens.columns if virtual_tokens else 0
    whole = columns + len(prompt)
    cache, plain = cache_for(model, whole + new_tokens)
    if virtual_tokens:
        virtual_tokens.fill(model, cache)
    tokens = torch.tensor([list(prompt)], device=model.device)
    seen = torch.ones((1, whole), dtype=torch.long, device=model.device)
    positions = torch.arange(columns, whole, device=model.device)[None]
    width = piece if plain else len(prompt)
    logits = torch.empty(0)
    begin = 0
    if head and plain:
        head.fill(cache)
        begin = head.tokens
    for start in range(begin, len(prompt), width):
        if start > begin:
            yield
        end = min(start + width, len(prompt))
        logits = model(
            input_ids=tokens[:, start:end],
            attention_mask=seen[:, : columns + end],
            position_ids=positions[:, start:end],
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits[:, -1]
    return Batch([0], seen, positions[:, -1:], cache), logits


def chances_behind(
    model: "PreTrainedModel", batch: Batch, logits: "torch.Tensor", tokens: Sequence[int]
) -> list[float]:
    """The chance of `tokens` behind each row of a batch, which is left as it was: what was read is unseen."""
    import torch

    count, rows = len(tokens) - 1, len(batch.rows)
    found = logits.float().log_softmax(-1)[:, tokens[0]]
    if count:
        fed = torch.tensor([list(tokens[:-1])] * rows, device=model.device)
        steps = torch.arange(1, count + 1, device=model.device)
        following = (
            model(
                input_ids=fed,
                attention_mask=torch.cat([batch.seen, batch.seen.new_ones((rows, count))], dim=1),
                position_ids=batch.position + steps,
                past_key_values=batch.cache,
                use_cache=True,
            )
            .logits.float()
            .log_softmax(-1)
        )
        wanted = torch.tensor(list(tokens[1:]), device=model.device).expand(rows, count)
        found = found + following.gather(-1, wanted[..., None])[..., 0].sum(-1)
        batch.seen = torch.cat([batch.seen, batch.seen.new_zeros((rows, count))], dim=1)
    return [float(value) for value in found.exp()]


def step(model: "PreTrainedModel", batch: Batch, tokens: list[int]) -> "torch.Tensor":
    """Feed one token to each row; the logits that follow."""
    import torch

    batch.seen = torch.cat([batch.seen, batch.seen.new_ones((len(tokens), 1))], dim=1)
    batch.position = batch.position + 1
    logits: torch.Tensor = model(
        input_ids=torch.tensor(tokens, device=model.device)[:, None],
        attention_mask=batch.seen,
        position_ids=batch.position,
        past_key_values=batch.cache,
        use_cache=True,
    ).logits[:, -1]
    return logits


def shrink(batch: Batch, tokens: list[int]) -> list[int]:
    """Take the ended rows out of the batch; the tokens of those that stay."""
    import torch

    stay = [place for place, row in enumerate(batch.rows) if row not in batch.ended]
    index = torch.tensor(stay, device=batch.seen.device)
    batch.rows = [batch.rows[place] for place in stay]
    batch.seen, batch.position = batch.seen[index], batch.position[index]
    batch.cache.batch_select_indices(index)
    batch.ended.clear()
    return [tokens[place] for place in stay]
