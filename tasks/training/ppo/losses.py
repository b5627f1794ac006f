"""The losses of proximal policy optimisation (Schulman et al. 2017): pure tensor functions.

All tensors are [rollouts, tokens]. `weights` is the mask of real tokens divided by their number in the whole
mini-batch: the sums over its micro-batches then add up to the mean over the mini-batch, however it is cut.
"""

import torch
from torch import Tensor


def policy_loss(
    logprobs: Tensor, sampled: Tensor, advantages: Tensor, weights: Tensor, *, clip_range: float
) -> tuple[Tensor, Tensor]:
    """The clipped surrogate loss, and the share of tokens whose ratio the clipping held back.

    Args:
        logprobs: of the tokens under the policy as it is now.
        sampled: the same under the policy that sampled them.
        advantages: how much better than expected each token was.
        weights: of the tokens in the mean.
        clip_range: the ratio counts within 1 - clip_range .. 1 + clip_range.
    """
    ratio = torch.exp((logprobs - sampled) * (weights > 0))
    free = -advantages * ratio
    clipped = -advantages * ratio.clamp(1.0 - clip_range, 1.0 + clip_range)
    fraction = ((clipped > free).float() * weights).sum()
    return (torch.maximum(free, clipped) * weights).sum(), fraction.detach()


def value_loss(
    values: Tensor, sampled: Tensor, returns: Tensor, weights: Tensor, *, clip_range: float
) -> Tensor:
    """Half the squared error of values that may move by `clip_range` from the `sampled` ones at most."""
    clipped = sampled + (values - sampled).clamp(-clip_range, clip_range)
    worse = torch.maximum((values - returns) ** 2, (clipped - returns) ** 2)
    return 0.5 * (worse * weights).sum()


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
