"""RLOO: REINFORCE with the other responses as baseline (Ahmadian et al. 2024, arXiv:2402.14740).

A whole response is one action, and its reward the score less the price of its divergence; what the others of
its group got on average is the baseline (Kool et al. 2019). Over several epochs the ratio of whole responses
is clipped, as in the trainer of TRL.
"""

from typing import TYPE_CHECKING

from deploy.settings import NonNegative, Positive
from tasks.training.reinforcement.algorithms.algorithm import Algorithm, AlgorithmSettings, Loss, Terms

if TYPE_CHECKING:
    from torch import Tensor

    from tasks.training.reinforcement.experience import Experience


class RlooSettings(AlgorithmSettings):
    """`whiten`: advantages have mean 0 and variance 1 over the batch."""

    kl_coefficient: NonNegative = 0.05
    clip_range: Positive = 0.2
    whiten: bool = False


def goal(experience: "Experience", worth: "Tensor", settings: RlooSettings) -> "dict[str, Tensor]":
    """The advantage of each response."""
    from tasks.training.reinforcement.algorithms.advantages import relative_to_others

    moved = ((experience.logprobs - experience.reference) * experience.mask).sum(dim=1)
    advantages = relative_to_others(worth - settings.kl_coefficient * moved, experience.size)
    if settings.whiten:
        advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
    return {"advantages": advantages}


def loss(terms: Terms, settings: RlooSettings) -> Loss:
    """The clipped surrogate loss of whole responses, the mean over them."""
    from tasks.training.reinforcement.algorithms.losses import policy_loss

    now, before = terms.summed(terms.logprobs), terms.summed(terms.sampled)
    weights = before.new_full(before.shape, 1.0 / terms.whole.responses)
    policy, clipped = policy_loss(
        now, before, terms.goal["advantages"], weights, clip_range=settings.clip_range
    )
    return Loss(policy, policy.detach(), policy.new_zeros(()), clipped)


ALGORITHM = Algorithm(
    name="rloo", settings=RlooSettings, sources=frozenset({"samples"}), goal=goal, loss=loss
)
