"""Continues token sequences with a causal language model: the decode loop under evaluation and rollouts."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from deploy.adapters.adapter import VirtualTokens
from deploy.engines.abstaining import Gate, Gating, may_abstain
from deploy.engines.batch import chances_behind, prefilled, shrink, step
from deploy.engines.choosing import chooser
from deploy.engines.engine import Sampling

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from deploy.engines.grammar import Following


def decode(
    model: "PreTrainedModel",
    prompts: Sequence[Sequence[int]],
    *,
    sampling: Sampling,
    goes_on: Callable[[int, int], bool],
    virtual_tokens: VirtualTokens | None = None,
    seeds: Sequence[int] | None = None,
    gate: Gate | None = None,
    keeping: "Sequence[Following] | None" = None,
    weigh: "Callable[[int, int, torch.Tensor], object] | None" = None,
) -> Iterator[list[tuple[int, int]]]:
    """For each step the chosen tokens as (row, token); closing the iterator ends the generation.

    `goes_on(row, token)` tells whether a row continues after the token. A row is left out once it has ended,
    and every row after `sampling.max_new_tokens`. Every prompt stands behind the `virtual_tokens`. Sampled
    rows draw from a generator of their own, so a row's result does not depend on its neighbours. `seeds`, one
    a row, take the place of the one in `sampling`, under which equal prompts have equal results. `gate` tells
    which rows abstain, and `keeping` has for each the schema that it keeps to. `weigh(row, token, logits)`
    is called before `goes_on` with the model's own logits [vocabulary] at the token, whatever has steered it.
    """
    import torch

    choose = chooser(sampling, len(prompts), seeds, keeping)
    room = sampling.max_new_tokens + (len(gate.tokens) if gate else 0)
    with torch.inference_mode():
        batch, logits = prefilled(model, prompts, room, virtual_tokens)
        gating = None
        if gate and may_abstain(gate, logits):
            gating = Gating(gate, chances_behind(model, batch, logits, gate.tokens))
    for at in range(sampling.max_new_tokens):
        own = logits
        if gating:
            logits = gating.steered(batch.rows, logits)
        tokens = choose(batch.rows, logits)
        if gating:
            gating.follow(batch.rows, tokens)
        if weigh is not None:
            for place, row in enumerate(batch.rows):
                if row not in batch.ended:
                    weigh(row, tokens[place], own[place])
        chosen = [
            (row, token) for row, token in zip(batch.rows, tokens, strict=True) if row not in batch.ended
        ]
        batch.ended |= {row for row, token in chosen if not goes_on(row, token)}
        yield chosen
        alive = len(batch.rows) - len(batch.ended)
        if alive == 0 or at + 1 == sampling.max_new_tokens:
            return
        # Inference mode is a property of the thread: it must not stay on while the caller has the control.
        with torch.inference_mode():
            if alive <= len(batch.rows) // 2:
                tokens = shrink(batch, tokens)
            logits = step(model, batch, tokens)


def chances(
    model: "PreTrainedModel",
    prompts: Sequence[Sequence[int]],
    tokens: Sequence[int],
    *,
    virtual_tokens: VirtualTokens | None = None,
) -> list[float]:
    """For each prompt the chance that `tokens` are what comes next."""
    import torch

    with torch.inference_mode():
        batch, logits = prefilled(model, prompts, len(tokens), virtual_tokens)
        return chances_behind(model, batch, logits, tokens)


def read(
    model: "PreTrainedModel", rows: "torch.Tensor", *, virtual_tokens: VirtualTokens | None = None
) -> "torch.Tensor":
    """The logits at each token of right-padded `rows` [rows, tokens], read behind the `virtual_tokens`."""
    if virtual_tokens is None:
        # Attention looks to the left, so no real token sees the padding and no mask is needed.
        return model(input_ids=rows, use_cache=False).logits
    from transformers import DynamicCache

    cache = DynamicCache(config=model.config)
    virtual_tokens.fill(model, cache)
    cache.batch_repeat_interleave(len(rows))
    return model(input_ids=rows, past_key_values=cache, use_cache=True).logits
