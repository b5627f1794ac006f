"""How tokens are chosen from logits: the likeliest, or drawn from the nucleus; kept to a schema if asked."""

import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from deploy.engines.drawing import drawn
from deploy.engines.engine import Sampling

if TYPE_CHECKING:
    import torch

    from deploy.engines.grammar import Following

Choose = Callable[[list[int], "torch.Tensor"], list[int]]
_COLDEST = 1e-5  # a lower temperature is 0: nothing but the likeliest token has a chance


def chooser(
    sampling: Sampling,
    rows: int,
    seeds: Sequence[int] | None,
    keeping: "Sequence[Following] | None" = None,
) -> Choose:
    """What turns the numbers of rows and their logits [rows, vocabulary] into one token a row.

    Each row draws from a generator of its own, seeded by `seeds`, or else all by the one in `sampling`.
    `keeping` has for each row the schema that its tokens keep to.
    """
    choose = _free(sampling, rows, seeds)
    if keeping is None:
        return choose

    def kept(numbers: list[int], logits: "torch.Tensor") -> list[int]:
        import torch

        masked = [keeping[number].masked(row) for number, row in zip(numbers, logits, strict=True)]
        tokens = choose(numbers, torch.stack(masked))
        for number, token in zip(numbers, tokens, strict=True):
            keeping[number].take(token)
        return tokens

    return kept


def seed_of(choice: int, seed: int | None) -> int | None:
    """The seed of one of several choices, which comes of that of all; the first one's is that itself."""
    if seed is None or choice == 0:
        return seed
    # Not the next number: who asks with seeds 1, 2, 3 would get the same answers again.
    return int.from_bytes(hashlib.sha256(f"{seed}:{choice}".encode()).digest()[:8], "big")


def _free(sampling: Sampling, rows: int, seeds: Sequence[int] | None) -> Choose:
    import torch

    if sampling.temperature < _COLDEST:
        return lambda _, logits: logits.argmax(-1).tolist()
    if seeds is None:
        seeds = [sampling.seed if sampling.seed is not None else torch.seed()] * rows
    draws = [torch.Generator().manual_seed(seed % 2**63) for seed in seeds]

    def choose(numbers: list[int], logits: "torch.Tensor") -> list[int]:
        logits = logits.float().cpu()
        # Below the likeliest, so that no division overflows.
        cooled = (logits - logits.max(-1, keepdim=True).values) / sampling.temperature
        chances = torch.softmax(cooled, dim=-1)
        if sampling.top_p < 1.0:
            chances = _nucleus(chances, sampling.top_p)
        uniform = torch.cat([torch.rand(1, generator=draws[number]) for number in numbers])
        return drawn(chances, uniform).tolist()

    return choose


def _nucleus(chances: "torch.Tensor", top_p: float) -> "torch.Tensor":
    """Zero all but the likeliest tokens that reach `top_p` together (Holtzman et al. 2020)."""
    ordered, order = chances.sort(dim=-1, descending=True)
    beyond = ordered.cumsum(-1) - ordered >= top_p
    beyond[..., 0] = False  # also where top_p is less than any float32
    ordered = ordered.masked_fill(beyond, 0.0)
    return chances.new_zeros(chances.shape).scatter(-1, order, ordered)
