"""A decoder cut in two: lower layers that several models share, and upper layers that tell them apart.

The lower layers are run once for each token; what comes out is kept, and every model that differs only above
the cut goes on from it. The layers are called as the model itself calls them, which `largest_difference`
proves for the model at hand.
"""

from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache

from deploy.engines.growing import growing_cache
from tasks.errors import TrainingError

PARTS = ("embed_tokens", "layers", "norm", "rotary_emb")


class SplitDecoder:
    """The decoder of a causal language model, run below and above layer `split`.

    Rows are padded on the right, so causal attention alone keeps padding from real tokens, and no mask is
    needed until tokens are decoded behind padded prompts.
    """

    def __init__(self, model: Any, split: int) -> None:
        decoder = model.get_decoder()
        missing = [part for part in PARTS if not hasattr(decoder, part)]
        if missing:
            raise TrainingError(
                f"rlhf cannot cut a {type(decoder).__name__}: it has no {', '.join(missing)}; "
                "choose a base.model of the Llama kind (Llama, Mistral, Qwen, SmolLM)"
            )
        self._model, self._decoder, self._head = model, decoder, model.get_output_embeddings()
        self.split = split

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self._decoder.norm.weight.device

    @property
    def dtype(self) -> torch.dtype:
        """The number format of the weights."""
        return self._decoder.norm.weight.dtype

    def new_cache(self, columns: int) -> Cache:
        """An empty cache of all layers with room for `columns`."""
        return growing_cache(len(self._decoder.layers), columns)

    def lower(
        self,
        tokens: Tensor,
        *,
        positions: Tensor | None = None,
        mask: Tensor | None = None,
        cache: Cache | None = None,
    ) -> Tensor:
        """The states [rows, tokens, width] of `tokens` [rows, tokens] at the cut.

        Args:
            tokens: padded on the right.
            positions: of the tokens in their rows; None: 0, 1, 2...
            mask: True where a token may look, [rows, 1, tokens, past and present tokens]; None: causal.
            cache: the past tokens, to which these are added.
        """
        states = self._decoder.embed_tokens(tokens)
        return self._run(self._decoder.layers[: self.split], states, positions, mask, cache)

    def upper(
        self,
        states: Tensor,
        *,
        positions: Tensor | None = None,
        mask: Tensor | None = None,
        cache: Cache | None = None,
    ) -> Tensor:
        """The final states, after the last norm, of what `lower` gave; the arguments are those of `lower`."""
        states = self._run(self._decoder.layers[self.split :], states, positions, mask, cache)
        return self._decoder.norm(states)

    def logits(self, final: Tensor) -> Tensor:
        """The logits [..., vocabulary] in float32 of final states: costly, so only where they are needed."""
        return self._head(final).float()

    @torch.no_grad()
    def largest_difference(self, tokens: Tensor) -> float:
        """How far the logits of `tokens` [rows, tokens] are from the uncut model's, over their largest."""
        whole = self._model(input_ids=tokens, use_cache=False).logits.float()
        cut = self.logits(self.upper(self.lower(tokens)))
        return float((whole - cut).abs().max() / whole.abs().max())

    def _run(
        self,
        layers: Any,
        states: Tensor,
        positions: Tensor | None,
        mask: Tensor | None,
        cache: Cache | None,
    ) -> Tensor:
        if positions is None:
            positions = torch.arange(states.shape[1], device=states.device).unsqueeze(0)
        rotary = self._decoder.rotary_emb(states, position_ids=positions)
        for layer in layers:
            states = layer(
                states,
                attention_mask=mask,
                position_ids=positions,
                past_key_values=cache,
                use_cache=cache is not None,
                position_embeddings=rotary,
            )
        return states
