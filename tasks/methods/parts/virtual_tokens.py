"""What a model learns to have read before every prompt: trained through PEFT's encoders, in our forward pass.

The encoder is a submodule of the model, called `virtual_tokens`, so a checkpoint holds the whole of it and
not only what it makes, as PEFT's files do. Import this module late: torch is needed to define it.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.cache_utils import DynamicCache

from deploy.adapters.names import WEIGHTS
from deploy.adapters.virtual_tokens import EMBEDDINGS, key_values
from tasks.methods.layers.shared_prefix import SharedPrefix
from tasks.methods.method import Adapted, Hidden
from tasks.methods.parts.files import write_peft_config, write_tensors

ENCODER = "virtual_tokens"


def attach_key_values(model: PreTrainedModel, config: Any, encoder: nn.Module) -> Adapted:
    """`model` with keys and values that `encoder` makes before those of every prompt, in every layer."""
    layers, heads, columns = config.num_layers, config.num_attention_heads, config.num_virtual_tokens

    def hidden(input_ids: Tensor, shared: SharedPrefix | None) -> Tensor:
        flat = _encoded(encoder, columns)
        states = key_values(flat, layers=layers, heads=heads).to(model.dtype)
        decoder = model.get_decoder()
        if shared is not None:
            return decoder(
                input_ids=shared.tokens,
                position_ids=shared.positions + columns,
                shared_prefix=shared,
                virtual_tokens=states,
                use_cache=False,
            ).last_hidden_state
        cache = DynamicCache(config=model.config)
        rows = len(input_ids)
        for layer, (keys, values) in enumerate(states):
            cache.update(
                keys.unsqueeze(0).expand(rows, -1, -1, -1),
                values.unsqueeze(0).expand(rows, -1, -1, -1),
                layer,
            )
        return decoder(input_ids=input_ids, past_key_values=cache, use_cache=True).last_hidden_state

    return _adapted(model, config, encoder, hidden)


def attach_soft_prompt(model: PreTrainedModel, config: Any, encoder: nn.Module) -> Adapted:
    """`model` with embeddings that `encoder` makes before those of every prompt."""
    columns = config.num_virtual_tokens

    def hidden(input_ids: Tensor, shared: SharedPrefix | None) -> Tensor:
        prompt = _encoded(encoder, columns).to(model.dtype)
        words, decoder = model.get_input_embeddings(), model.get_decoder()
        if shared is not None:
            behind = shared.after(columns)
            states = decoder(
                inputs_embeds=torch.cat([prompt, words(shared.tokens[0])]).unsqueeze(0),
                position_ids=behind.positions,
                shared_prefix=behind,
                use_cache=False,
            ).last_hidden_state
            return states[:, columns:]
        whole = torch.cat([prompt.expand(len(input_ids), -1, -1), words(input_ids)], dim=1)
        states = decoder(inputs_embeds=whole, use_cache=False).last_hidden_state
        return states[:, columns:]

    return _adapted(model, config, encoder, hidden)


class AttentionEncoder(nn.Module):
    """Makes embeddings [1, columns, width] by self-attention over learned ones, then a perceptron."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        width, inner = config.token_dim, config.encoder_hidden_size
        self.embedding = nn.Embedding(config.num_virtual_tokens, width)
        self.attention = nn.MultiheadAttention(width, math.gcd(width, 8), batch_first=True)
        self.perceptron = nn.Sequential(nn.Linear(width, inner), nn.ReLU(), nn.Linear(inner, width))

    def forward(self, places: Tensor) -> Tensor:
        """The embeddings at `places` [1, columns]."""
        learned = self.embedding(places)
        mixed, _ = self.attention(learned, learned, learned, need_weights=False)
        made: Tensor = self.perceptron(learned + mixed)
        return made


def start_as(model: PreTrainedModel, encoder: Any, tokens: Sequence[int]) -> None:
    """Let PEFT's prefix encoder make the keys and values of `tokens`: as if the model had read them.

    Where a perceptron makes them, its last map is solved for: exactly, if it is as wide as there are tokens.
    """
    if model.device.type == "meta":  # no numbers, no start
        return
    cache = DynamicCache()
    with torch.no_grad():
        given = torch.tensor([list(tokens)], device=model.device)
        model.get_decoder()(input_ids=given, past_key_values=cache, use_cache=True)
        states = torch.stack([torch.cat([layer.keys, layer.values]) for layer in cache.layers]).float().cpu()
        wanted = states.permute(3, 0, 1, 2, 4).flatten(1)  # the way back of `key_values`
        if not encoder.prefix_projection:
            encoder.embedding.weight.copy_(wanted)
            return
        *inner, last = encoder.transform
        made = nn.Sequential(*inner)(encoder.embedding.weight)
        last.bias.copy_(wanted.mean(dim=0))
        last.weight.copy_((torch.linalg.pinv(made) @ (wanted - last.bias)).T)


def base_shape(model: PreTrainedModel) -> dict[str, int]:
    """What PEFT's prompt learning must know of a model; heads that share keys count once."""
    config = model.config.get_text_config()
    heads = int(getattr(config, "num_key_value_heads", None) or config.num_attention_heads)
    width = int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)
    return {
        "num_layers": int(config.num_hidden_layers),
        "num_attention_heads": heads,
        "token_dim": heads * width,
    }


def _adapted(model: PreTrainedModel, config: Any, encoder: nn.Module, hidden: Hidden) -> Adapted:
    encoder.to(model.device, torch.float32).requires_grad_(True)
    model.add_module(ENCODER, encoder)

    def write(folder: Path) -> None:
        write_peft_config(config, folder)
        with torch.no_grad():
            write_tensors({EMBEDDINGS: _encoded(encoder, config.num_virtual_tokens)}, folder / WEIGHTS)

    return Adapted(model=model, write=write, hidden=hidden)


def _encoded(encoder: nn.Module, columns: int) -> Tensor:
    """What the encoder makes now, [columns, width]."""
    places = torch.arange(columns, device=next(encoder.parameters()).device).unsqueeze(0)
    made: Tensor = encoder(places)[0]
    return made
