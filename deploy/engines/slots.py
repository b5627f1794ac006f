"""A key-value cache of rows that come and go, each of a length of its own. Imports torch: import it late.

The rows lie in the first slots of buffers that are allocated ahead: to take a row copies that row alone, to
drop one moves the last row into its place, and a token costs only itself. Columns of a slot beyond its length
hold what is masked, and always numbers: what is not a number would pass through a mask.
"""

from typing import Any

import torch
from transformers import PreTrainedModel
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer

_COLUMNS = 256  # buffers grow by this many columns


class Slots:
    """Rows of one model that are decoded together, each at its own place in its text."""

    def __init__(self) -> None:
        self.lengths: list[int] = []
        # The places that a step writes to, the same in every layer: slots, and a column of each.
        self.ends: tuple[torch.Tensor, torch.Tensor] = (torch.empty(0), torch.empty(0))
        self._cache = DynamicCache()

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def longest(self) -> int:
        """How many columns the longest row has."""
        return max(self.lengths)

    def take(self, cache: Cache, seen: torch.Tensor, row: int = 0) -> None:
        """Add one row of a cache that forgets nothing: the columns that `seen` [rows, columns] marks."""
        columns = seen[row].nonzero()[:, 0]
        if not self._cache.layers:
            self._cache.layers = [SlotLayer(self) for _ in cache.layers]
        self.lengths.append(len(columns))
        for own, layer in zip(self._layers, cache.layers, strict=True):
            own.put(len(self) - 1, layer.keys[row, :, columns], layer.values[row, :, columns])

    def drop(self, slot: int) -> None:
        """Let the row in `slot` go; the last row takes its place."""
        last = len(self) - 1
        for layer in self._layers if slot != last else ():
            layer.move(last, slot)
        self.lengths[slot] = self.lengths[last]
        self.lengths.pop()

    def step(self, model: PreTrainedModel, tokens: list[int]) -> torch.Tensor:
        """Feed one token to each row; the logits [rows, vocabulary] that follow."""
        lengths = torch.tensor(self.lengths, device=model.device)
        self.ends = torch.arange(len(self), device=model.device), lengths
        # Nobody sees the last column: without a mask, as for rows that see all, attention in bfloat16 would
        # read keys and values anew for each head of a group.
        seen = torch.arange(self.longest + 2, device=model.device)[None] <= lengths[:, None]
        logits: torch.Tensor = model(
            input_ids=torch.tensor(tokens, device=model.device)[:, None],
            attention_mask=seen.long(),
            position_ids=lengths[:, None],
            past_key_values=self._cache,
            use_cache=True,
        ).logits[:, -1]
        self.lengths = [length + 1 for length in self.lengths]
        return logits

    @property
    def _layers(self) -> "list[SlotLayer]":
        return self._cache.layers


class SlotLayer(DynamicLayer):
    """One layer of `slots`: the buffers [slots, heads, columns, width] of its keys and values."""

    def __init__(self, slots: Slots) -> None:
        super().__init__()
        self._slots = slots
        self._buffers: tuple[torch.Tensor, ...] = ()

    def put(self, slot: int, *rows: torch.Tensor) -> None:
        """Write keys and values [heads, columns, width] of a row into `slot`."""
        self._reserve(rows, slot + 1, rows[0].shape[1] + 1)
        for buffer, row in zip(self._buffers, rows, strict=True):
            buffer[slot, :, : row.shape[1]] = row
        self.is_initialized = True

    def move(self, source: int, target: int) -> None:
        """Copy a row into another slot."""
        length = self._slots.lengths[source]
        for buffer in self._buffers:
            buffer[target, :, :length] = buffer[source, :, :length]

    def get_seq_length(self) -> int:
        """The length of the longest row."""
        return self._slots.longest

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """How many columns a mask for so many tokens has, and which is the first."""
        return self._slots.longest + query_length + 1, 0

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append one column to each row at its own end; all keys and values of the rows."""
        count, width = len(self._slots), self._slots.longest + 2
        self._reserve((key_states[0], value_states[0]), count, width)
        rows, ends = self._slots.ends
        for buffer, states in zip(self._buffers, (key_states, value_states), strict=True):
            if count == 1:  # a slice costs a fraction of two lists of places
                buffer[0, :, width - 2] = states[0, :, 0]
            else:
                buffer[rows, :, ends] = states[:, :, 0]
        keys, values = (buffer[:count, :, :width] for buffer in self._buffers)
        return keys, values

    def _reserve(self, like: tuple[torch.Tensor, ...], rows: int, columns: int) -> None:
        """Make room for so many rows and columns; what is there stays."""
        held = self._buffers[0].shape if self._buffers else (0, 0, 0, 0)
        if rows <= held[0] and columns <= held[2]:
            return
        rows = held[0] if rows <= held[0] else max(rows, 2 * held[0])
        columns = max(held[2], -(-columns // _COLUMNS) * _COLUMNS)
        grown = tuple(part.new_zeros((rows, part.shape[0], columns, part.shape[2])) for part in like)
        for buffer, old in zip(grown, self._buffers, strict=False):
            buffer[: held[0], :, : held[2]] = old
        self._buffers = grown
