"""The algorithms of RLHF, one module each; `ALGORITHMS` is the only list of them.

A module holds the algorithm's settings with the paper that they come from, what it takes from rewarded
responses before it learns, and its loss. All of it is arithmetic on tensors: no model is known here.
"""

from typing import TYPE_CHECKING, Literal, TypeAlias

from tasks.training.reinforcement.algorithms import dpo, grpo, kto, orpo, ppo, rloo, sft
from tasks.training.reinforcement.algorithms.algorithm import Algorithm

ALGORITHMS: dict[str, Algorithm] = {
    module.ALGORITHM.name: module.ALGORITHM for module in (ppo, rloo, grpo, dpo, kto, orpo, sft)
}

if TYPE_CHECKING:
    AlgorithmName: TypeAlias = str
else:
    AlgorithmName = Literal[tuple(ALGORITHMS)]  # what params.yaml may name
