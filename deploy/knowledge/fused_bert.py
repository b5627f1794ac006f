"""The layers of a BERT encoder with fewer steps: same numbers, for a question alone on a CPU.

A question has some twenty tokens. Beside the products of so few, what transformers does around them (modules
in modules, three products for the queries, keys and values of each layer) costs a third of the time.

Import this module late: torch is needed to define it.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertModel

Product = tuple[Tensor, Tensor]  # weight and bias


class _Layer(NamedTuple):
    read: Product  # queries, keys and values, one above the other
    attended: Product
    wide: Product
    narrow: Product
    norms: tuple[Product, Product]


def fuse_bert(model: Any) -> Any:
    """The encoder `model` with fewer steps; itself where it is of another family, or another kind of it."""
    fits = type(model) is BertModel and model.config.hidden_act == "gelu" and not model.config.is_decoder
    return FusedBert(model) if fits else model


class FusedBert(nn.Module):
    """What `BertModel` makes of tokens, less its pooler; for evaluation, without gradients."""

    def __init__(self, model: BertModel) -> None:
        super().__init__()
        self.config = model.config
        self._heads, self._eps = model.config.num_attention_heads, model.config.layer_norm_eps
        embeddings = model.embeddings
        # The only parameter, by which who holds this module sees its device and number format.
        self.words = nn.Parameter(embeddings.word_embeddings.weight.detach(), requires_grad=False)
        self._positions = embeddings.position_embeddings.weight.detach()
        self._types = embeddings.token_type_embeddings.weight.detach()
        self._norm = _of(embeddings.LayerNorm)
        self._layers = [_layer(layer) for layer in model.encoder.layer]

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None, **_: Any
    ) -> dict[str, Tensor]:
        """The state of each token in the last layer, [texts, tokens, width], as `last_hidden_state`."""
        types = self._types[0] if token_type_ids is None else self._types[token_type_ids]
        states = self.words[input_ids] + types + self._positions[: input_ids.shape[1]]
        states = self._normed(states, self._norm)
        shown = None if bool(attention_mask.all()) else attention_mask.bool()[:, None, None, :]
        for layer in self._layers:
            heads = functional.linear(states, *layer.read).view(*input_ids.shape, 3, self._heads, -1)
            queries, keys, values = heads.permute(2, 0, 3, 1, 4)
            mixed = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=shown)
            attended = functional.linear(mixed.transpose(1, 2).flatten(2), *layer.attended)
            states = self._normed(states + attended, layer.norms[0])
            wide = functional.gelu(functional.linear(states, *layer.wide))
            states = self._normed(states + functional.linear(wide, *layer.narrow), layer.norms[1])
        return {"last_hidden_state": states}

    def _normed(self, states: Tensor, norm: Product) -> Tensor:
        return functional.layer_norm(states, states.shape[-1:], *norm, eps=self._eps)


def _layer(layer: Any) -> _Layer:
    own = layer.attention.self
    parts = (_of(own.query), _of(own.key), _of(own.value))
    return _Layer(
        read=(torch.cat([weight for weight, _ in parts]), torch.cat([bias for _, bias in parts])),
        attended=_of(layer.attention.output.dense),
        wide=_of(layer.intermediate.dense),
        narrow=_of(layer.output.dense),
        norms=(_of(layer.attention.output.LayerNorm), _of(layer.output.LayerNorm)),
    )


def _of(module: Any) -> Product:
    return module.weight.detach(), module.bias.detach()
