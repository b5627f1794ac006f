"""Fine-tuning goes on: the good answers are taught, as before RLHF. What every other algorithm has to beat.

More steps on more prompts help by themselves; a gain over the fine-tuned model says little of RLHF where this
one reaches it as well.
"""

from typing import TYPE_CHECKING

from tasks.training.reinforcement.algorithms.algorithm import Algorithm, AlgorithmSettings, Loss, Terms

if TYPE_CHECKING:
    from torch import Tensor

    from tasks.training.reinforcement.experience import Experience


class SftSettings(AlgorithmSettings):
    """There is nothing to set."""


def goal(_experience: "Experience", _worth: "Tensor", _settings: SftSettings) -> "dict[str, Tensor]":
    """Nothing: every answer is good."""
    return {}


def loss(terms: Terms, _settings: SftSettings) -> Loss:
    """The mean over all tokens of the mini-batch."""
    policy = -(terms.logprobs * terms.token_weights).sum()
    nothing = policy.new_zeros(())
    return Loss(policy, policy.detach(), nothing, nothing)


ALGORITHM = Algorithm(name="sft", settings=SftSettings, sources=frozenset({"answers"}), goal=goal, loss=loss)
