"""PPO: proximal policy optimisation with a value head (Schulman et al. 2017, arXiv:1707.06347).

As InstructGPT used it (Ouyang et al. 2022, arXiv:2203.02155): the reward model's score at the last token and
the price of the divergence at each (Ziegler et al. 2019, arXiv:1909.08593), generalised advantages (Schulman
et al. 2016), clipped losses of policy and values. Numbers and their order follow the PPO trainer of TRL 1.12.
Of InstructGPT's parts the mixture with pre-training gradients is `rlhf.sft_coefficient`.
"""

from typing import TYPE_CHECKING, Literal

from deploy.settings import NonNegative, Positive, Share
from tasks.training.reinforcement.algorithms.algorithm import Algorithm, AlgorithmSettings, Loss, Terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from tasks.training.reinforcement.experience import Experience


class PpoSettings(AlgorithmSettings):
    """`baseline` is taken off a score before values are: that of its group leaves the value head little.

    With a `kl_target`, in nats a response, the price of the divergence is `kl_coefficient` at first and then
    follows it, by at most `kl_gain` * 20 % an update (Ziegler et al. 2019, whose gain is 0.1).
    """

    baseline: Literal["none", "group"] = "none"
    kl_coefficient: NonNegative = 0.05
    kl_target: Positive | None = None
    kl_gain: Positive = 0.1
    clip_range: Positive = 0.2
    value_clip_range: Positive = 0.2
    value_coefficient: NonNegative = 0.1
    entropy_coefficient: NonNegative = 0.0
    discount: Share = 1.0
    gae_lambda: Share = 0.95
    whiten_rewards: bool = False


def after(settings: PpoSettings, divergences: "Sequence[float]") -> PpoSettings:
    """The settings of the next update, if those before it found these divergences (nats a response)."""
    if settings.kl_target is None:
        return settings
    coefficient = settings.kl_coefficient
    for found in divergences:
        off = min(max(found / settings.kl_target - 1.0, -0.2), 0.2)
        coefficient *= 1.0 + settings.kl_gain * off
    return settings.model_copy(update={"kl_coefficient": coefficient})


def goal(experience: "Experience", worth: "Tensor", settings: PpoSettings) -> "dict[str, Tensor]":
    """The whitened advantages and the returns of each token."""
    from tasks.training.reinforcement.algorithms.advantages import (
        generalised_advantages,
        relative_to_others,
        token_rewards,
        whiten,
    )

    mask = experience.mask
    if settings.baseline == "group":
        worth = relative_to_others(worth, experience.size)
    if settings.whiten_rewards:
        worth = worth / (worth.std() + 1e-8)
    rewards = token_rewards(
        worth, experience.logprobs, experience.reference, mask, kl_coefficient=settings.kl_coefficient
    )
    advantages, returns = generalised_advantages(
        rewards, experience.values, mask, discount=settings.discount, gae_lambda=settings.gae_lambda
    )
    return {"advantages": whiten(advantages, mask), "returns": returns}


def loss(terms: Terms, settings: PpoSettings) -> Loss:
    """The clipped losses of policy and values, less the price of what entropy is lost."""
    from tasks.training.reinforcement.algorithms.losses import policy_loss, value_loss

    weights = terms.token_weights
    policy, clipped = policy_loss(
        terms.logprobs, terms.sampled, terms.goal["advantages"], weights, clip_range=settings.clip_range
    )
    assert terms.values is not None
    assert terms.expected is not None
    value = value_loss(
        terms.values, terms.expected, terms.goal["returns"], weights, clip_range=settings.value_clip_range
    )
    total = policy + settings.value_coefficient * value
    if terms.entropy is not None:
        total = total - settings.entropy_coefficient * (terms.entropy * weights).sum()
    return Loss(total, policy.detach(), value.detach(), clipped)


ALGORITHM = Algorithm(
    name="ppo",
    settings=PpoSettings,
    sources=frozenset({"samples"}),
    goal=goal,
    loss=loss,
    has_values=True,
    after=after,
)
