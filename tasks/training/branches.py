"""Rows that hold one prompt with several answers to it, so that the prompt runs through the model once.

An answer looks at the prompt and at its own left, never at another answer, and counts its positions from the
end of the prompt: each is read as if it stood alone.

Import this module late: torch is needed to define it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

PROMPT, PADDING = -1, -2  # branches of the places that belong to no answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Branches:
    """Where everything stands in rows of a prompt and its answers, one behind the other, padded on the right.

    `positions` are [rows, places]; `mask` [rows, 1, places, places] is True where a place may look. The
    answers of all rows follow each other: `row` [answers, 1] tells where they lie, `before` [answers, tokens]
    the place in front of each of their tokens, whose final state predicts it (0 where an answer has ended),
    `last` [answers, 1] the place of the last one.
    """

    positions: Tensor
    mask: Tensor
    row: Tensor
    before: Tensor
    last: Tensor


def branches(rows: Sequence[tuple[int, Sequence[int]]], *, device: torch.device | str = "cpu") -> Branches:
    """The places of rows, each told as the length of its prompt and those of its answers."""
    positions: list[Tensor] = []
    owners: list[Tensor] = []
    before: list[Tensor] = []
    for prompt, answers in rows:
        start = prompt
        places, owner = [torch.arange(prompt)], [torch.full((prompt,), PROMPT)]
        for number, size in enumerate(answers):
            places.append(torch.arange(prompt, prompt + size))
            owner.append(torch.full((size,), number))
            # The last token of the prompt predicts the first of every answer.
            before.append(torch.cat([torch.tensor([prompt - 1]), torch.arange(start, start + size)]))
            start += size
        positions.append(torch.cat(places))
        owners.append(torch.cat(owner))
    position = pad_sequence(positions, batch_first=True).to(device)
    branch = pad_sequence(owners, batch_first=True, padding_value=PADDING).to(device)
    return Branches(
        positions=position,
        mask=tree_mask(position, branch),
        row=torch.tensor([[row] for row, (_, sizes) in enumerate(rows) for _ in sizes], device=device),
        before=pad_sequence([each[:-1] for each in before], batch_first=True).to(device),
        last=torch.stack([each[-1:] for each in before]).to(device),
    )


def tree_mask(position: Tensor, branch: Tensor) -> Tensor:
    """Where a place may look, [rows, 1, places, places]: at the prompt and its own branch, not ahead.

    Padding looks at itself, so that no row of the softmax is empty.
    """
    shared = (branch == PROMPT).unsqueeze(1) | (branch.unsqueeze(2) == branch.unsqueeze(1))
    seen = shared & (position.unsqueeze(1) <= position.unsqueeze(2)) & (branch != PADDING).unsqueeze(1)
    seen |= torch.eye(position.shape[1], dtype=torch.bool, device=position.device)
    return seen.unsqueeze(1)
