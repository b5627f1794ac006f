"""GRPO: group-relative policy optimisation (Shao et al. 2024, arXiv:2402.03300).

A response's advantage is its score less the mean of its group, over the group's spread; no value head. The
divergence is a part of the loss (the k3 estimator of Schulman 2020), not of the reward. `scale: none` and
`mean_over: tokens` are the corrections of Liu et al. 2025 (Dr. GRPO, arXiv:2503.20783) and Yu et al. 2025
(DAPO, arXiv:2503.14476, with `clip_range_above`).
"""

from typing import TYPE_CHECKING, Literal

from deploy.settings import NonNegative, Positive
from tasks.training.reinforcement.algorithms.algorithm import Algorithm, AlgorithmSettings, Loss, Terms

if TYPE_CHECKING:
    from torch import Tensor

    from tasks.training.reinforcement.experience import Experience


class GrpoSettings(AlgorithmSettings):
    """`mean_over`: tokens weigh alike, or responses do, however long they are."""

    kl_coefficient: NonNegative = 0.04
    clip_range: Positive = 0.2
    clip_range_above: Positive | None = None
    scale: Literal["group", "none"] = "group"
    mean_over: Literal["tokens", "responses"] = "tokens"


def goal(experience: "Experience", worth: "Tensor", settings: GrpoSettings) -> "dict[str, Tensor]":
    """The advantage of each response."""
    from tasks.training.reinforcement.algorithms.advantages import relative_to_mean

    return {"advantages": relative_to_mean(worth, experience.size, scaled=settings.scale == "group")}


def loss(terms: Terms, settings: GrpoSettings) -> Loss:
    """The clipped surrogate loss of tokens, and the price of their divergence from the reference."""
    from tasks.training.reinforcement.algorithms.losses import divergence_k3, policy_loss

    weights = terms.token_weights
    if settings.mean_over == "responses":
        weights = terms.mask / terms.mask.sum(dim=1, keepdim=True) / terms.whole.responses
    policy, clipped = policy_loss(
        terms.logprobs,
        terms.sampled,
        terms.goal["advantages"].unsqueeze(1),
        weights,
        clip_range=settings.clip_range,
        clip_range_above=settings.clip_range_above,
    )
    moved = (divergence_k3(terms.logprobs, terms.reference) * weights).sum()
    return Loss(policy + settings.kl_coefficient * moved, policy.detach(), policy.new_zeros(()), clipped)


ALGORITHM = Algorithm(
    name="grpo", settings=GrpoSettings, sources=frozenset({"samples"}), goal=goal, loss=loss
)
