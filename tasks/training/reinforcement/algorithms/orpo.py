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


def goal(_experience: "Experience", worth: "Tensor", _settings: OrpoSettings) -> "dict[str, Tensor]":
    """What each answer is worth: it tells which of a pair is the better."""
    return {"worth": worth}


def loss(terms: Terms, settings: OrpoSettings) -> Loss:
    """The mean over groups; `clipped` is the share of pairs in which the worse answer has the better odds."""
    from torch.nn import functional

    from tasks.training.reinforcement.algorithms.advantages import pair_weights
    from tasks.training.reinforcement.algorithms.losses import log_odds, pairwise

    wins = pair_weights(terms.goal["worth"], terms.size) / terms.whole.groups
    likelihood = terms.summed(terms.logprobs) / terms.mask.sum(dim=1)
    difference = pairwise(log_odds(likelihood), terms.size)
    taught = -(likelihood * wins.sum(dim=1)).sum()
    policy = taught - settings.odds * (functional.logsigmoid(difference) * wins).sum()
    return Loss(policy, policy.detach(), policy.new_zeros(()), wins[difference < 0].sum())


ALGORITHM = Algorithm(
    name="orpo", settings=OrpoSettings, sources=frozenset({"preferences"}), goal=goal, loss=loss
)
