"""DPO: direct preference optimisation (Rafailov et al. 2023, arXiv:2305.18290), and IPO (Azar et al. 2023).

Two answers of which one is worth more: the policy makes it likelier, against the reference, than the other.
On pairs that people judged it needs no reward and no sampling. On the policy's own samples, which are
judged by their worth, it is online DPO (Guo et al. 2024, arXiv:2402.04792); pairs then are all answers of a
group that differ in worth, and a group weighs as much as another, however many it has.
"""

from typing import TYPE_CHECKING, Literal

from deploy.settings import Positive
from tasks.training.reinforcement.algorithms.algorithm import Algorithm, AlgorithmSettings, Loss, Terms

if TYPE_CHECKING:
    from torch import Tensor

    from tasks.training.reinforcement.experience import Experience


class DpoSettings(AlgorithmSettings):
    """`beta` ties the policy to the reference; `label_smoothing` is the share of pairs thought to be wrong.

    `loss` ipo does not go on making a pair more certain that is certain already.
    """

    beta: Positive = 0.1
    loss: Literal["sigmoid", "ipo"] = "sigmoid"
    label_smoothing: float = 0.0


def goal(_experience: "Experience", worth: "Tensor", _settings: DpoSettings) -> "dict[str, Tensor]":
    """What each answer is worth: it tells which of a pair is the better."""
    return {"worth": worth}


def loss(terms: Terms, settings: DpoSettings) -> Loss:
    """The mean over groups; `clipped` is the share of pairs in which the policy prefers the worse answer."""
    from tasks.training.reinforcement.algorithms.advantages import pair_weights
    from tasks.training.reinforcement.algorithms.losses import pairwise, preference_loss

    gained = terms.summed(terms.logprobs) - terms.summed(terms.reference)
    difference = pairwise(gained, terms.size)
    wins = pair_weights(terms.goal["worth"], terms.size) / terms.whole.groups
    each = preference_loss(
        difference, beta=settings.beta, kind=settings.loss, smoothing=settings.label_smoothing
    )
    policy, wrong = (each * wins).sum(), wins[difference < 0].sum()
    return Loss(policy, policy.detach(), policy.new_zeros(()), wrong)


ALGORITHM = Algorithm(
    name="dpo", settings=DpoSettings, sources=frozenset({"samples", "preferences"}), goal=goal, loss=loss
)
