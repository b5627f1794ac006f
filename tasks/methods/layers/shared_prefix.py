"""Rows that begin alike, laid out so that their common beginning runs through the model once.

Every prompt begins with the same instructions: in a batch of short rows that is a fifth of all tokens, and
padding is some more. Here a batch becomes one sequence, the common tokens and then what each row adds. All
that works on single tokens (nine tenths of the arithmetic) sees each token once; attention alone sees the
rows again. The numbers are those of the padded batch, up to rounding.

Import this module late: torch is needed to define it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel

from deploy.engines.prefix import common_prefix


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedPrefix:
    """A batch as one sequence of n tokens, and the way back.

    `tokens` and `positions` are [1, n]. `places` [rows, length] says where in the sequence each token of
    the padded batch stands (padding: 0); `origins` [n] is where each token of the sequence stands in the
    flattened batch, its first row for a shared one.
    """

    tokens: Tensor
    positions: Tensor
    places: Tensor
    origins: Tensor

    def rows(self, sequence: Tensor) -> Tensor:
        """The features [n, ...] of the sequence as those of the batch, [rows, length, ...]."""
        flat = sequence.index_select(0, self.places.flatten())
        return flat.view(*self.places.shape, *sequence.shape[1:])

    def sequence(self, rows: Tensor) -> Tensor:
        """The features [rows, length, ...] of the batch as those of the sequence, [n, ...]."""
        return rows.flatten(0, 1).index_select(0, self.origins)

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
        )


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
    )
