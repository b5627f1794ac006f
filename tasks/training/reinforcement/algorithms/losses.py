"""What the losses of the algorithms are made of: pure tensor functions.

All tensors are [rollouts, tokens] unless told. `weights` is the mask of real tokens divided by their number
in the whole mini-batch: the sums over its micro-batches then add up to the mean over it, however it is cut.
"""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional


def policy_loss(
    logprobs: Tensor,
    sampled: Tensor,
    advantages: Tensor,
    weights: Tensor,
    *,
    clip_range: float,
    clip_range_above: float | None = None,
) -> tuple[Tensor, Tensor]:
    """The clipped surrogate loss (Schulman et al. 2017), and the share that the clipping held back.

    Args:
        logprobs: of the tokens under the policy as it is now.
        sampled: the same under the policy that sampled them.
        advantages: how much better than expected each token was.
        weights: of the tokens in the mean.
        clip_range: the ratio counts within 1 - clip_range .. 1 + clip_range.
        clip_range_above: the same upwards, where it differs.
    """
    ratio = torch.exp((logprobs - sampled) * (weights > 0))
    free = -advantages * ratio
    above = clip_range if clip_range_above is None else clip_range_above
    clipped = -advantages * ratio.clamp(1.0 - clip_range, 1.0 + above)
    fraction = ((clipped > free).float() * weights).sum()
    return (torch.maximum(free, clipped) * weights).sum(), fraction.detach()


def value_loss(
    values: Tensor, sampled: Tensor, returns: Tensor, weights: Tensor, *, clip_range: float
) -> Tensor:
    """Half the squared error of values that may move by `clip_range` from the `sampled` ones at most."""
    clipped = sampled + (values - sampled).clamp(-clip_range, clip_range)
    worse = torch.maximum((values - returns) ** 2, (clipped - returns) ** 2)
    return 0.5 * (worse * weights).sum()


def divergence_k3(logprobs: Tensor, reference: Tensor) -> Tensor:
    """An estimate of KL(policy || reference) by each sampled token, never negative (Schulman 2020, k3)."""
    moved = reference - logprobs
    return moved.exp() - moved - 1.0


def pairwise(values: Tensor, size: int) -> Tensor:
    """Each value less each of its group: [rollouts, size] of [rollouts]."""
    grouped = values.view(-1, size)
    return (grouped.unsqueeze(2) - grouped.unsqueeze(1)).flatten(0, 1)


def preference_loss(
    difference: Tensor, *, beta: float, kind: Literal["sigmoid", "ipo"], smoothing: float
) -> Tensor:
    """What a pair costs of which the better answer gained `difference` nats more than the worse."""
    if kind == "ipo":
        return (difference - 1.0 / (2.0 * beta)) ** 2
    right, wrong = functional.logsigmoid(beta * difference), functional.logsigmoid(-beta * difference)
    return -(1.0 - smoothing) * right - smoothing * wrong


def log_odds(logprobs: Tensor) -> Tensor:
    """log(p / (1 - p)) of log-probabilities below 0."""
    return logprobs - torch.log(-torch.expm1(logprobs.clamp(max=-1e-6)))


def chosen_logprobs(logits: Tensor, tokens: Tensor) -> Tensor:
    """The log-probability of each token under `logits` [rollouts, tokens, vocabulary]."""
    chosen = logits.gather(-1, tokens.unsqueeze(-1)).squeeze(-1)
    return chosen - torch.logsumexp(logits, dim=-1)


def entropy(logits: Tensor) -> Tensor:
    """The entropy of the next token in nats, [rollouts, tokens]."""
    logprobs = torch.log_softmax(logits, dim=-1)
    return -(logprobs.exp() * logprobs).sum(dim=-1)


def divergence(logits: Tensor, reference: Tensor) -> Tensor:
    """KL(policy || reference) of the next token over the whole vocabulary in nats, [rollouts, tokens].

    Its sum over a sampled response estimates the divergence of whole responses without bias and with less
    noise than the log-ratio of the sampled tokens, and is never negative.
    """
    policy = torch.log_softmax(logits, dim=-1)
    return (policy.exp() * (policy - torch.log_softmax(reference, dim=-1))).sum(dim=-1)
