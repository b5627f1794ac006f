"""KTO: answers that are good or bad, without pairs (Ethayarajh et al. 2024, arXiv:2402.01306).

What an answer gains is measured from how far the policy has moved from the reference (z0). The paper
estimates z0 by answers to other prompts; here it is the divergence of the answers' own next tokens when the
update began, over the whole vocabulary, which needs no further pass and is no less than 0.
"""

from typing import TYPE_CHECKING

from deploy.settings import NonNegative, Positive
from tasks.training.reinforcement.algorithms.algorithm import Algorithm, AlgorithmSettings, Loss, Terms

if TYPE_CHECKING:
    from torch import Tensor

    from tasks.training.reinforcement.experience import Experience


class KtoSettings(AlgorithmSettings):
    """`desirable` and `undesirable` weigh the two kinds of answers."""

    beta: Positive = 0.1
    desirable: NonNegative = 1.0
    undesirable: NonNegative = 1.0


def goal(experience: "Experience", worth: "Tensor", _settings: KtoSettings) -> "dict[str, Tensor]":
    """Which answers are worth more than their group's mean (1.0) or less (-1.0), and z0 for each."""
    from tasks.training.reinforcement.algorithms.advantages import relative_to_mean

    moved = experience.divergence.sum(dim=1).mean()
    return {
        "good": relative_to_mean(worth, experience.size, scaled=False).sign(),
        "moved": moved.expand(len(worth)).clone(),
    }


def loss(terms: Terms, settings: KtoSettings) -> Loss:
    """The mean over answers; one that is worth what its group is worth teaches nothing."""
    import torch

    gained = terms.summed(terms.logprobs) - terms.summed(terms.reference) - terms.goal["moved"]
    good = terms.goal["good"]
    weights = torch.where(good > 0, settings.desirable, settings.undesirable) * good.abs()
    each = 1.0 - torch.sigmoid(settings.beta * good * gained)
    policy = (each * weights).sum() / terms.whole.responses
    return Loss(policy, policy.detach(), policy.new_zeros(()), policy.new_zeros(()))


ALGORITHM = Algorithm(
    name="kto", settings=KtoSettings, sources=frozenset({"samples", "preferences"}), goal=goal, loss=loss
)
