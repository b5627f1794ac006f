"""Protects the layout of a batch as one sequence: each token once, and the way back exact."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from tasks.methods.layers.shared_prefix import share_prefix


@given(
    shared=st.lists(st.integers(1, 9), max_size=6),
    tails=st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=6), min_size=1, max_size=5),
)
def test_every_token_comes_back_and_common_ones_stand_once(shared: list[int], tails: list[list[int]]) -> None:
    rows = [[*shared, *tail] for tail in tails]
    longest = max(map(len, rows))
    padded = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    lengths = torch.tensor([len(row) for row in rows])

    layout = share_prefix(padded, lengths)

    back = layout.rows(layout.tokens[0])
    where = layout.rows(layout.positions[0])
    for number, row in enumerate(rows):
        assert back[number, : len(row)].tolist() == row
        assert where[number, : len(row)].tolist() == list(range(len(row)))
    assert torch.equal(layout.sequence(padded), layout.tokens[0])
    spared = sum(map(len, rows)) - layout.tokens.shape[1]
    assert spared >= (len(rows) - 1) * len(shared)
