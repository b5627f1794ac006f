"""Protects the losses of PPO: what clipping does to value and gradient, distances of distributions."""

import pytest
import torch

from tasks.training.reinforcement.algorithms.losses import (
    chosen_logprobs,
    divergence,
    entropy,
    policy_loss,
    value_loss,
)

ONE = torch.tensor([[1.0]])


def surrogate(ratio: float, advantage: float) -> tuple[float, float, float]:
    logprobs = torch.tensor([[ratio]]).log().requires_grad_()
    loss, clipped = policy_loss(logprobs, torch.zeros(1, 1), advantage * ONE, ONE, clip_range=0.2)
    loss.backward()
    assert logprobs.grad is not None
    return loss.item(), clipped.item(), logprobs.grad.item()


@pytest.mark.parametrize(
    ("ratio", "advantage", "loss", "clipped"),
    [
        (1.0, 2.0, -2.0, False),
        (1.1, 2.0, -2.2, False),
        (1.5, 2.0, -2.4, True),  # likelier already: no more gain
        (0.5, 2.0, -1.0, False),
        (0.5, -2.0, 1.6, True),  # rarer already: no more gain
        (1.5, -2.0, 3.0, False),
    ],
)
def test_a_ratio_out_of_range_gains_nothing_more(
    ratio: float, advantage: float, loss: float, clipped: bool
) -> None:
    value, fraction, gradient = surrogate(ratio, advantage)
    assert value == pytest.approx(loss, rel=1e-5)
    assert fraction == float(clipped)
    assert (gradient == 0.0) == clipped


def test_padding_has_neither_loss_nor_gradient() -> None:
    logprobs = torch.tensor([[0.1, 500.0]], requires_grad=True)
    weights = torch.tensor([[1.0, 0.0]])
    loss, _ = policy_loss(logprobs, torch.zeros(1, 2), torch.ones(1, 2), weights, clip_range=0.2)
    loss.backward()
    assert torch.isfinite(loss)
    assert logprobs.grad is not None
    assert logprobs.grad[0, 1] == 0.0


@pytest.mark.parametrize(("value", "loss"), [(1.1, 0.5 * 0.9**2), (1.5, 0.5 * 0.8**2), (3.0, 0.5 * 1.0)])
def test_values_move_by_the_clip_range_at_most(value: float, loss: float) -> None:
    # The return is 2 and the sampled value 1; the worse of the free and the clipped value counts.
    result = value_loss(value * ONE, ONE, 2 * ONE, ONE, clip_range=0.2)
    assert result.item() == pytest.approx(loss, rel=1e-5)


def test_distances_agree_with_torch() -> None:
    torch.manual_seed(0)
    logits, other = torch.randn(2, 3, 5), torch.randn(2, 3, 5)
    policy, reference = (torch.distributions.Categorical(logits=each) for each in (logits, other))
    tokens = torch.randint(5, (2, 3))
    assert torch.allclose(chosen_logprobs(logits, tokens), policy.log_prob(tokens), atol=1e-6)
    assert torch.allclose(entropy(logits), policy.entropy(), atol=1e-6)
    wanted = torch.distributions.kl_divergence(policy, reference)
    assert torch.allclose(divergence(logits, other), wanted, atol=1e-6)
    assert not divergence(logits, logits).any()
