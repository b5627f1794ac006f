"""ORPO: the good answer is taught as in fine-tuning, and made likelier than the other by its odds.

Hong, Lee and Thorne 2024 (arXiv:2403.07691). There is no reference: a model that has not been fine-tuned can
be taught format and preference at once.
"""

from typing import TYPE_CHECKING

from deploy.settings import Positive
from tasks.training.reinforcement.algorithms.algorithm import Algorithm, AlgorithmSettings, Loss, Terms

if TYPE_CHECKING:
    from torch import Tensor

    from tasks.training.reinforcement.experience import Experience


class OrpoSettings(AlgorithmSettings):
    """`odds` is the weight of the odds ratio beside the likelihood of the good answer (lambda)."""

    odds: Positive = 0.1


def goal(experience: "Experience", worth: "Tensor", _settings: OrpoSettings) -> "dict[str, Tensor]":
    """How much each pair (response, other of its group) counts, [responses, size]: 0 unless it is won."""
    from tasks.training.reinforcement.algorithms.advantages import pair_weights

    return {"wins": pair_weights(worth, experience.size)}


def loss(terms: Terms, settings: OrpoSettings) -> Loss:
    """The mean over groups; `clipped` is the share of pairs in which the worse answer has the better odds."""
    import torch
    from torch.nn import functional

    from tasks.training.reinforcement.algorithms.losses import log_odds, pairwise

    wins = terms.goal["wins"] / terms.whole.groups
    likelihood = terms.summed(terms.logprobs) / terms.mask.sum(dim=1)
    difference = pairwise(log_odds(likelihood), terms.size).view_as(wins)
    taught = -(likelihood * wins.sum(dim=1)).sum()
    policy = taught - settings.odds * (functional.logsigmoid(difference) * wins).sum()
    wrong = (torch.where(difference < 0, wins, 0.0)).sum()
    return Loss(policy, policy.detach(), policy.new_zeros(()), wrong.detach())


ALGORITHM = Algorithm(
    name="orpo", settings=OrpoSettings, sources=frozenset({"preferences"}), goal=goal, loss=loss
)
