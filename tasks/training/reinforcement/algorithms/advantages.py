"""Rewards, advantages and returns of a batch of responses: pure tensor functions.

All tensors are [rollouts, tokens]; `mask` is 1.0 at real response tokens (the end of turn is one of them) and
0.0 behind them. Lengths come from the mask alone, never from a padding token, so pad == end of turn does no
harm.
"""

import torch
from torch import Tensor


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """The mean of `values` over real tokens, a scalar."""
    return (values * mask).sum() / mask.sum()


def whiten(values: Tensor, mask: Tensor) -> Tensor:
    """`values` with mean 0 and variance 1 over real tokens; 0 behind them."""
    mean = masked_mean(values, mask)
    variance = masked_mean((values - mean) ** 2, mask)
    return (values - mean) * torch.rsqrt(variance + 1e-8) * mask


def relative_to_others(scores: Tensor, size: int) -> Tensor:
    """Each score less the mean of the other scores of its group, [rollouts]; groups of `size` lie in a row.

    Responses to one prompt share its difficulty. Taken off, what is left tells them apart, which a value head
    learns only after many updates (the leave-one-out baseline: Kool et al. 2019; Ahmadian et al. 2024,
    arXiv:2402.14740).
    """
    grouped = scores.view(-1, size)
    others = (grouped.sum(dim=1, keepdim=True) - grouped) / (size - 1)
    return (grouped - others).flatten()


def relative_to_mean(scores: Tensor, size: int, *, scaled: bool) -> Tensor:
    """Each score less the mean of its group, [rollouts]; `scaled`: over the group's standard deviation."""
    grouped = scores.view(-1, size)
    centred = grouped - grouped.mean(dim=1, keepdim=True)
    if scaled:
        centred = centred / (grouped.std(dim=1, keepdim=True) + 1e-4)
    return centred.flatten()


def pair_weights(scores: Tensor, size: int) -> Tensor:
    """For each response and each of its group [rollouts, size]: the weight of that pair if it is won, else 0.

    The pairs of a group weigh 1 together, or 0 where all its scores are equal.
    """
    grouped = scores.view(-1, size)
    wins = (grouped.unsqueeze(2) > grouped.unsqueeze(1)).to(scores)
    return (wins / wins.sum(dim=(1, 2), keepdim=True).clamp(min=1.0)).flatten(0, 1)


def token_rewards(
    scores: Tensor, logprobs: Tensor, reference: Tensor, mask: Tensor, *, kl_coefficient: float
) -> Tensor:
    """The reward of each token: its share of the KL penalty, and at the last real one the score besides.

    The divergence at a token is estimated by the k1 estimator, log p(token) - log p_ref(token) (Ziegler et
    al. 2019).

    Args:
        scores: one a rollout, [rollouts].
        logprobs: of the sampled tokens under the policy that sampled them.
        reference: of the same tokens under the reference policy.
        mask: 1.0 at real tokens.
        kl_coefficient: the price of a nat.
    """
    rewards = -kl_coefficient * (logprobs - reference) * mask
    last = mask.sum(dim=1).long() - 1
    return rewards.scatter_add(1, last.unsqueeze(1), scores.unsqueeze(1))


def generalised_advantages(
    rewards: Tensor, values: Tensor, mask: Tensor, *, discount: float, gae_lambda: float
) -> tuple[Tensor, Tensor]:
    """Advantages and returns by generalised advantage estimation (Schulman et al. 2016).

    delta_t = r_t + discount V_{t+1} - V_t and A_t = delta_t + discount lambda A_{t+1}, where the value behind
    the last real token is 0; the returns, which the value head learns, are A + V.
    """
    advantages = torch.zeros_like(rewards)
    ahead = next_value = torch.zeros_like(rewards[:, 0])
    for token in range(rewards.shape[1] - 1, -1, -1):
        real = mask[:, token]
        delta = rewards[:, token] + discount * next_value - values[:, token]
        ahead = (delta + discount * gae_lambda * ahead) * real
        next_value = values[:, token] * real
        advantages[:, token] = ahead
    return advantages, (advantages + values) * mask
