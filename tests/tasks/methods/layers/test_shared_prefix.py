"""Protects the layout of a batch as one sequence: each token once, and the way back exact."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

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


@pytest.mark.parametrize("lengths", [[22, 25, 21, 23], [9, 30, 14], [1, 4, 2], [12, 12]], ids=str)
def test_attention_is_that_of_the_rows(lengths: list[int]) -> None:
    """Also where the common beginning is long, so that it is attended once and apart from the rest."""
    torch.manual_seed(1)
    rows, longest, shared = len(lengths), max(lengths), min(lengths) - 1
    ids = torch.randint(1, 90, (rows, longest))
    ids[:, :shared] = ids[0, :shared]
    ids[:, shared] = torch.arange(100, 100 + rows)
    layout = share_prefix(ids, torch.tensor(lengths))
    assert layout.shared == shared
    heads = [torch.randn(layout.tokens.shape[1], 3, 8, requires_grad=True) for _ in range(3)]
    whole = [layout.rows(part).transpose(1, 2) for part in heads]
    expected = functional.scaled_dot_product_attention(*whole, is_causal=True, scale=0.3)
    goal = torch.randn(layout.tokens.shape[1], 3, 8)

    found = layout.attend(*heads, scale=0.3)

    torch.testing.assert_close(found, layout.sequence(expected.transpose(1, 2)), atol=1e-5, rtol=1e-4)
    plain = torch.autograd.grad((layout.sequence(expected.transpose(1, 2)) * goal).sum(), heads)
    for fast, slow in zip(torch.autograd.grad((found * goal).sum(), heads), plain, strict=True):
        torch.testing.assert_close(fast, slow, atol=1e-5, rtol=1e-4)
