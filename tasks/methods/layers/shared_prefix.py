"""Rows that begin alike, laid out so that their common beginning runs through the model once.

Every prompt begins with the same instructions: in a batch of short rows that is a fifth of all tokens, and
padding is some more. Here a batch becomes one sequence, the common tokens and then what each row adds. All
that works on single tokens (nine tenths of the arithmetic) sees each token once; attention alone sees the
rows again, and of those only what each adds, where the common beginning is long. The numbers are those of the
padded batch, up to rounding.

Import this module late: torch is needed to define it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedModel

from deploy.engines.prefix import common_prefix


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedPrefix:
    """A batch as one sequence of n tokens, and the way back.

    `tokens` and `positions` are [1, n]. `places` [rows, length] says where in the sequence each token of
    the padded batch stands (padding: 0); `origins` [n] is where each token of the sequence stands in the
    flattened batch, its first row for a shared one. `shared` is how many tokens all rows begin with; 0 is
    always right, and lets attention see whole rows.
    """

    tokens: Tensor
    positions: Tensor
    places: Tensor
    origins: Tensor
    shared: int = 0

    def rows(self, sequence: Tensor) -> Tensor:
        """The features [n, ...] of the sequence as those of the batch, [rows, length, ...]."""
        flat = sequence.index_select(0, self.places.flatten())
        return flat.view(*self.places.shape, *sequence.shape[1:])

    def sequence(self, rows: Tensor) -> Tensor:
        """The features [rows, length, ...] of the batch as those of the sequence, [n, ...]."""
        return rows.flatten(0, 1).index_select(0, self.origins)

    def attend(self, query: Tensor, key: Tensor, value: Tensor, *, scale: float) -> Tensor:
        """Causal attention within each row, [n, heads, width] like the three, which have as many heads."""
        rows, length = self.places.shape
        own = length - self.shared
        # In whole rows half of the pairs are skipped; with a mask none are.
        if self.shared**2 + 2 * rows * own * length >= rows * length**2:
            return self.sequence(attended(*map(self.rows, (query, key, value)), scale=scale))
        columns = self.places[:, self.shared :]
        places = columns.flatten()
        queries, keys, values = (
            part.index_select(0, places).view(rows, own, *part.shape[1:]) for part in (query, key, value)
        )
        before = [part[: self.shared].expand(rows, -1, -1, -1) for part in (key, value)]
        seen = torch.ones(own, length, dtype=torch.bool, device=query.device).tril(self.shared)
        behind = attended(
            queries,
            torch.cat([before[0], keys], dim=1),
            torch.cat([before[1], values], dim=1),
            scale=scale,
            seen=seen,
        )
        first = attended(*(part[: self.shared].unsqueeze(0) for part in (query, key, value)), scale=scale)
        origins = self.origins[self.shared :]
        row, column = origins // length, origins % length - self.shared
        return torch.cat([first[0], behind.flatten(0, 1).index_select(0, row * own + column)])

    def after(self, columns: int) -> "SharedPrefix":
        """The same rows behind as many columns that stand before every one of them, and once in the sequence.

        The columns have no tokens of their own: those of the sequence stay as they are.
        """
        rows, length = self.places.shape
        before = torch.arange(columns, device=self.places.device)
        row, column = self.origins // length, self.origins % length
        return SharedPrefix(
            tokens=self.tokens,
            positions=torch.cat([before.unsqueeze(0), self.positions + columns], dim=1),
            places=torch.cat([before.expand(rows, -1), self.places + columns], dim=1),
            origins=torch.cat([before, row * (columns + length) + columns + column]),
            shared=columns + self.shared,
        )


def attended(
    query: Tensor, key: Tensor, value: Tensor, *, scale: float, seen: Tensor | None = None
) -> Tensor:
    """Attention over [rows, length, heads, width], out as in; without `seen` [queries, keys] it is causal."""
    # On a CPU its way back takes twice as long in bfloat16 as in float32.
    dtype = torch.float32 if query.device.type == "cpu" else query.dtype
    q, k, v = (part.transpose(1, 2).to(dtype) for part in (query, key, value))
    out = functional.scaled_dot_product_attention(
        q, k, v, attn_mask=seen, is_causal=seen is None, scale=scale
    )
    return out.transpose(1, 2).to(query.dtype)


def final_states(
    model: PreTrainedModel,
    input_ids: Tensor,
    shared: SharedPrefix | None,
    hidden: Callable[[Tensor, SharedPrefix | None], Tensor] | None,
) -> Tensor:
    """The last states [rows, length, width] of a padded batch, or those of its sequence, [1, n, width].

    `hidden` makes them where the model alone does not. Only fused layers can take a sequence.
    """
    decoder = model.get_decoder()
    if hidden is not None:
        return hidden(input_ids, shared)
    if shared is None:
        return decoder(input_ids=input_ids, use_cache=False).last_hidden_state
    return decoder(
        input_ids=shared.tokens, position_ids=shared.positions, shared_prefix=shared, use_cache=False
    ).last_hidden_state


def share_prefix(input_ids: Tensor, lengths: Tensor) -> SharedPrefix:
    """The batch `input_ids` [rows, length], padded on the right, whose rows have `lengths` tokens."""
    num_rows, longest = input_ids.shape
    rows = [row[:length] for row, length in zip(input_ids.tolist(), lengths.tolist(), strict=True)]
    shared = common_prefix(rows) if num_rows > 1 else 0
    columns = torch.arange(longest, device=input_ids.device)
    own = (columns >= shared) & (columns < lengths.unsqueeze(1))
    places = torch.where(columns < shared, columns, 0).repeat(num_rows, 1)
    places[own] = shared + torch.arange(int(own.sum()), device=input_ids.device)
    first = torch.zeros_like(own)
    first[0, :shared] = True
    origins = (own | first).flatten().nonzero().squeeze(1)
    return SharedPrefix(
        tokens=input_ids.flatten()[origins].unsqueeze(0),
        positions=(origins % longest).unsqueeze(0),
        places=places,
        origins=origins,
        shared=shared,
    )
