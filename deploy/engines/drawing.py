"""Draws tokens by their chances, from one number each."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def drawn(chances: "torch.Tensor", uniform: "torch.Tensor") -> "torch.Tensor":
    """The tokens [rows] that `uniform` [rows], numbers of 0 to below 1, draw by `chances` [rows, vocabulary].

    One number a row and its place among the summed chances: `multinomial` draws as many as there are tokens.
    """
    import torch

    reached = chances.cumsum(-1)
    return torch.searchsorted(reached, uniform[:, None] * reached[:, -1:], right=True)[:, 0]
