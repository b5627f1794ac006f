"""Protects the arithmetic of PPO: who gets the score, what an advantage is, lengths from the mask."""

import pytest
import torch

from tasks.training.reinforcement.algorithms.advantages import (
    generalised_advantages,
    masked_mean,
    pair_weights,
    relative_to_mean,
    relative_to_others,
    token_rewards,
    whiten,
)


def mask_of(*lengths: int) -> torch.Tensor:
    return (torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1)).float()


def test_the_score_is_the_reward_of_the_last_real_token() -> None:
    mask = mask_of(3, 1)
    zeros = torch.zeros(2, 3)
    rewards = token_rewards(torch.tensor([5.0, -2.0]), zeros, zeros, mask, kl_coefficient=0.1)
    assert rewards.tolist() == [[0.0, 0.0, 5.0], [-2.0, 0.0, 0.0]]


def test_a_score_is_compared_with_the_others_of_its_group() -> None:
    scores = torch.tensor([1.0, 2.0, 6.0, 5.0, 5.0, 5.0])
    assert relative_to_others(scores, 3).tolist() == [-3.0, -1.5, 4.5, 0.0, 0.0, 0.0]


def test_a_score_is_compared_with_the_mean_of_its_group_over_its_spread() -> None:
    scores = torch.tensor([1.0, 2.0, 6.0, 5.0, 5.0, 5.0])
    assert relative_to_mean(scores, 3, scaled=False).tolist() == [-2.0, -1.0, 3.0, 0.0, 0.0, 0.0]
    scaled = relative_to_mean(scores, 3, scaled=True)
    assert torch.allclose(scaled[:3], torch.tensor([-2.0, -1.0, 3.0]) / (7**0.5 + 1e-4))
    assert not scaled[3:].any()


def test_the_pairs_of_a_group_weigh_one_together() -> None:
    wins = pair_weights(torch.tensor([1.0, 0.0, 0.0, 5.0, 5.0, 5.0]), 3)
    assert wins.tolist() == [[0.0, 0.5, 0.5], *[[0.0] * 3] * 5]


def test_a_free_divergence_leaves_the_score_alone() -> None:
    mask = mask_of(3, 2)
    logprobs, reference = torch.randn(2, 3), torch.randn(2, 3)
    scores = torch.tensor([0.5, 1.5])
    rewards = token_rewards(scores, logprobs, reference, mask, kl_coefficient=0.0)
    assert torch.equal(rewards.sum(dim=1), scores)


def test_each_nat_of_divergence_costs_its_price() -> None:
    mask = mask_of(2, 1)
    logprobs, reference = (
        torch.tensor([[-1.0, -2.0], [-1.0, 9.0]]),
        torch.tensor([[-3.0, -1.0], [-1.5, -9.0]]),
    )
    rewards = token_rewards(torch.zeros(2), logprobs, reference, mask, kl_coefficient=0.1)
    assert torch.allclose(rewards, torch.tensor([[-0.2, 0.1], [-0.05, 0.0]]))


def test_advantages_by_hand() -> None:
    # delta = (1 + .5*3 - 2, 0 + .5*4 - 3, 2 - 4) = (.5, -1, -2)
    # A3 = -2, A2 = -1 + .25 * -2, A1 = .5 + .25 * -1.5
    rewards, values = torch.tensor([[1.0, 0.0, 2.0]]), torch.tensor([[2.0, 3.0, 4.0]])
    advantages, returns = generalised_advantages(rewards, values, mask_of(3), discount=0.5, gae_lambda=0.5)
    assert torch.allclose(advantages, torch.tensor([[0.125, -1.5, -2.0]]))
    assert torch.allclose(returns, torch.tensor([[2.125, 1.5, 2.0]]))


def test_with_lambda_one_the_return_is_the_discounted_sum_of_rewards() -> None:
    torch.manual_seed(0)
    mask = mask_of(6, 4, 1)
    rewards, values = torch.randn(3, 6) * mask, torch.randn(3, 6)
    advantages, returns = generalised_advantages(rewards, values, mask, discount=0.9, gae_lambda=1.0)
    steps = torch.arange(6)
    powers = torch.where(steps >= steps.unsqueeze(1), 0.9 ** (steps - steps.unsqueeze(1)).float(), 0.0)
    wanted = (rewards @ powers.T) * mask
    assert torch.allclose(returns, wanted, atol=1e-6)
    assert torch.allclose(advantages, (wanted - values) * mask, atol=1e-6)


def test_what_stands_behind_a_response_does_not_matter() -> None:
    mask = mask_of(2, 4)
    rewards, values = torch.randn(2, 4) * mask, torch.randn(2, 4)
    noisy = values + 100 * (1 - mask)
    one = generalised_advantages(rewards, values, mask, discount=1.0, gae_lambda=0.95)
    other = generalised_advantages(rewards, noisy, mask, discount=1.0, gae_lambda=0.95)
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_whitened_values_have_mean_zero_and_variance_one_over_real_tokens() -> None:
    mask = mask_of(5, 3)
    values = torch.randn(2, 5) * 7 + 3
    white = whiten(values, mask)
    assert float(masked_mean(white, mask)) == pytest.approx(0.0, abs=1e-6)
    assert float(masked_mean(white**2, mask)) == pytest.approx(1.0, abs=1e-5)
    assert not white[1, 3:].any()
