"""A decoder cut in two: lower layers that several models share, and upper layers that tell them apart.

The lower layers are run once for each token; what comes out is kept, and every model that differs only above
the cut goes on from it. The layers are called as those of the Llama kind call them; whether that is right for
the model at hand, `uncuttable` tells.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor
from transformers import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING, AutoModelForCausalLM
from transformers.cache_utils import Cache

from deploy.engines.growing import growing_cache
from tasks.methods.layers.language_head import head_logits

PARTS = ("embed_tokens", "layers", "norm", "rotary_emb")


class SplitDecoder:
    """The decoder of a causal language model, run below and above layer `split`.

    Rows are padded on the right, so causal attention alone keeps padding from real tokens, and no mask is
    needed until tokens are decoded behind padded prompts.
    """

    def __init__(self, model: Any, split: int) -> None:
        self._model, self._decoder = model, model.get_decoder()
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
        return head_logits(self._model, final)

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


def uncuttable(model: Any, *, longest: int) -> str:
    """Why the causal language model cannot be cut for RLHF on rows of `longest` tokens; empty if it can.

    Its layers are called one by one on a few tokens, and must make what the model makes.
    """
    return next(_hindrances(model, longest), "")


def _hindrances(model: Any, longest: int) -> Iterator[str]:
    decoder, config = model.get_decoder(), model.config.get_text_config()
    kind = type(decoder).__name__
    if missing := [part for part in PARTS if not hasattr(decoder, part)]:
        yield f"a {kind} has no {', '.join(missing)} to run its layers one by one"
    if type(model.config) not in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING:
        yield f"transformers has no classifier of the family of {kind} to score answers by"
    if not _has_sdpa(model):
        yield f"the attention of a {kind} cannot be had by masks alone (sdpa)"
    kinds = getattr(config, "layer_types", None) or ["sliding_attention"]
    window = getattr(config, "sliding_window", None) if "sliding_attention" in kinds else None
    if window is not None and window < longest:
        yield f"layers look back {window} tokens only, and rows have up to {longest}"
    tokens = torch.arange(12, device=model.device).unsqueeze(0)
    allowed = 1e-3 if model.dtype == torch.float32 else 5e-2
    try:
        found = SplitDecoder(model, len(decoder.layers) // 2).largest_difference(tokens)
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        yield f"the layers of a {kind} cannot be run one by one ({error})"
    else:
        if not found < allowed:
            yield f"run one by one, the layers of a {kind} give other states ({found:.2g} off)"


def _has_sdpa(model: Any) -> bool:
    """Whether transformers computes the attention of this family by torch's function, which reads masks."""
    try:
        with torch.device("meta"):  # a model without numbers, of the same kind
            AutoModelForCausalLM.from_config(deepcopy(model.config), attn_implementation="sdpa")
    except ValueError:
        return False
    return True
