"""A key-value cache that grows inside buffers allocated once. Imports torch: import it where it is used."""

from typing import Any

import torch
from transformers import PreTrainedModel
from transformers.cache_utils import DynamicCache, DynamicLayer


class GrowingLayer(DynamicLayer):
    """Writes into buffers of their full length and shows the part in use.

    `DynamicLayer` copies all it holds at each token; here a token costs only itself.
    """

    def __init__(self, columns: int) -> None:
        super().__init__()
        self._columns, self._used = columns, 0
        self._buffers: tuple[torch.Tensor, ...] = ()

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append the states; all keys and values so far."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self._buffers = tuple(
                states.new_empty((*states.shape[:2], self._columns, states.shape[-1]))
                for states in (key_states, value_states)
            )
        end = self._used + key_states.shape[-2]
        for buffer, states in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[:, :, self._used : end] = states
        self._used = end
        self._show()
        return self.keys, self.values

    def batch_repeat_interleave(self, repeats: int) -> None:
        """Repeat each row."""
        self._buffers = tuple(buffer.repeat_interleave(repeats, dim=0) for buffer in self._buffers)
        self._show()

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep only the rows at `indices`."""
        self._buffers = tuple(buffer[indices] for buffer in self._buffers)
        self._show()

    def _show(self) -> None:
        self.keys, self.values = (buffer[:, :, : self._used] for buffer in self._buffers)


def growing_cache(layers: int, columns: int) -> DynamicCache:
    """An empty cache whose layers all grow in place, with room for `columns`; it forgets nothing."""
    cache = DynamicCache()
    cache.layers = [GrowingLayer(columns) for _ in range(layers)]
    return cache


def cache_for(model: PreTrainedModel, columns: int) -> tuple[DynamicCache, bool]:
    """An empty cache for `model` with room for `columns`, and whether every layer of it grows in place.

    Layers with a sliding window and the like stay as transformers makes them.
    """
    cache = DynamicCache(config=model.config)
    plain = [type(layer) is DynamicLayer for layer in cache.layers]
    cache.layers = [
        GrowingLayer(columns) if is_plain else layer
        for is_plain, layer in zip(plain, cache.layers, strict=True)
    ]
    return cache, bool(plain) and all(plain)
