"""Proximal policy optimisation (Schulman et al. 2017) of a language model against a reward model.

One update: sample a batch of responses -> log-probabilities, values and scores of them -> a reward for each
token (Ziegler et al. 2019) -> advantages -> a few passes of clipped losses over random mini-batches. The
numbers and their order follow the PPO trainer of TRL 1.12; lengths are explicit here, and the end of turn is
a token like any other: it is chosen, it is scored, and the score is its reward.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from tasks.errors import TrainingError
from tasks.training.ppo.advantages import generalised_advantages, relative_to_group, token_rewards, whiten
from tasks.training.ppo.experience import Experience, experience, micro_batches
from tasks.training.ppo.losses import chosen_logprobs, policy_loss, value_loss
from tasks.training.ppo.policy import Actors
from tasks.training.ppo.rollouts import Group, collate, sample
from tasks.training.settings import RlhfSettings

GRADIENT_NORM = 1.0  # longer gradients are shortened to it, as the trainers of TRL do


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateFigures:
    """One line of the curve. `reward` is the mean score, `objective` what is left of it after penalties.

    `kl` is in nats a response, `kl_token` and `entropy` in nats a token, of the policy that sampled. Means
    are over all that was sampled; `learned` holds the places of the prompts that were learned from.
    """

    update: int
    reward: float
    objective: float
    kl: float
    kl_token: float
    entropy: float
    clip_fraction: float
    value_loss: float
    policy_loss: float
    response_length: float
    ended_share: float
    learned: tuple[int, ...]


class Losses(NamedTuple):
    """Means over the mini-batches of an update."""

    policy: float
    value: float
    clip_fraction: float


class Targets(NamedTuple):
    """What an update learns: tensors [rollouts, response tokens]."""

    advantages: Tensor
    returns: Tensor


class Trainer:
    """Improves `actors` one update at a time.

    `good` is a copy of what learns, as it was when its divergence was last measured to be within the limit.
    """

    def __init__(
        self, actors: Actors, settings: RlhfSettings, *, end: int, generator: torch.Generator
    ) -> None:
        self.actors, self.generator = actors, generator
        self._settings, self._end = settings, end
        self.optimizer = torch.optim.AdamW(
            actors.parameters().values(), lr=settings.learning_rate, weight_decay=0.0
        )
        self.good = self._start = self._copy()

    def sample(self, prompts: Sequence[Sequence[int]]) -> Experience:
        """Responses of the policy as it is, with what every model says of them."""
        settings = self._settings
        groups: list[Group] = []
        with self.actors.activate("policy"):
            for start in range(0, len(prompts), settings.prompts):
                groups += sample(
                    self.actors.decoder,
                    prompts[start : start + settings.prompts],
                    responses=settings.responses,
                    end=self._end,
                    max_new_tokens=settings.max_new_tokens,
                    temperature=settings.temperature,
                    generator=self.generator,
                )
        return experience(self.actors, groups, temperature=settings.temperature)

    def keep(self) -> None:
        """Remember what is learned now as good."""
        self.good = self._copy()

    def restore(self) -> None:
        """Go back to what was last good."""
        self._set(self.good)

    def reset(self) -> None:
        """Go back to what there was before the first update."""
        self._set(self._start)

    def update(self, number: int, experience: Experience) -> UpdateFigures:
        """Learn from `experience`, which was gathered for update `number` (from 1)."""
        learned = instructive(experience, self._settings.prompts)
        chosen = experience.only(learned)
        goal = targets(chosen, self._settings)
        # Linear decay to 0, one step an update, as TRL's scheduler.
        rate = self._settings.learning_rate * (1.0 - (number - 1) / self._settings.updates)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        losses = self._learn(chosen, goal, number)
        return UpdateFigures(
            update=number,
            reward=float(experience.scores.mean()),
            objective=objective(experience, self._settings),
            kl=experience.kl,
            kl_token=experience.kl_token,
            entropy=float(experience.entropy.sum() / experience.mask.sum()),
            clip_fraction=losses.clip_fraction,
            value_loss=losses.value,
            policy_loss=losses.policy,
            response_length=experience.response_length,
            ended_share=experience.ended_share,
            learned=tuple(learned),
        )

    def gradient(self, experience: Experience, goal: Targets, rows: Sequence[int], **size: int) -> Losses:
        """Add the gradient of the mini-batch of the groups `rows` to the parameters; `size` run at once."""
        settings = self._settings
        tokens = experience.mask[experience.members(rows)].sum()
        sums = torch.zeros(3)
        for micro in micro_batches(experience.groups, rows, **size):
            batch = collate([experience.groups[row] for row in micro])
            members = experience.members(micro)
            width = batch.tokens.shape[1]
            old, advantages, returns, values = (
                tensor[members, :width] for tensor in (experience.logprobs, *goal, experience.values)
            )
            states = self.actors.before_tokens(batch)
            predicted = self.actors.values(states)
            logits = self.actors.decoder.logits(states) / settings.temperature
            logprobs = chosen_logprobs(logits, batch.tokens)
            weights = batch.mask / tokens
            policy, clipped = policy_loss(logprobs, old, advantages, weights, clip_range=settings.clip_range)
            value = value_loss(predicted, values, returns, weights, clip_range=settings.value_clip_range)
            (policy + settings.value_coefficient * value).backward()  # type: ignore[no-untyped-call]
            sums += torch.stack([policy.detach(), value.detach(), clipped]).cpu()
        return Losses(*sums.tolist())

    def _learn(self, experience: Experience, goal: Targets, number: int) -> Losses:
        settings = self._settings
        seen: list[Losses] = []
        for _ in range(settings.epochs):
            order = torch.randperm(len(experience.groups), generator=self.generator)
            for rows in order.chunk(settings.mini_batches):
                self.optimizer.zero_grad()
                losses = self.gradient(experience, goal, rows.tolist())
                norm = torch.nn.utils.clip_grad_norm_(self.actors.parameters().values(), GRADIENT_NORM)
                if not (math.isfinite(losses.policy + losses.value) and bool(norm.isfinite())):
                    raise TrainingError(
                        f"the loss of update {number} is not finite; lower rlhf.learning_rate in params.yaml"
                    )
                self.optimizer.step()
                seen.append(losses)
        self.optimizer.zero_grad()
        return Losses(*(sum(part) / len(seen) for part in zip(*seen, strict=True)))

    def _set(self, values: dict[str, Tensor]) -> None:
        with torch.no_grad():
            for name, parameter in self.actors.parameters().items():
                parameter.copy_(values[name])

    def _copy(self) -> dict[str, Tensor]:
        return {name: parameter.detach().clone() for name, parameter in self.actors.parameters().items()}


def instructive(experience: Experience, count: int) -> list[int]:
    """The places of the `count` groups whose scores differ most, in order.

    A group whose responses all score alike says nothing of which is better; where the policy is sure, most
    groups are so (dynamic sampling: Yu et al. 2025, arXiv:2503.14476). If none differs, the first are taken.
    """
    if len(experience.groups) <= count:
        return list(range(len(experience.groups)))
    spread = experience.spread.tolist()
    order = sorted(range(len(spread)), key=lambda group: (-spread[group], group))[:count]
    return sorted(group for group in order if spread[group] > 0.0) or sorted(order)


def targets(experience: Experience, settings: RlhfSettings) -> Targets:
    """The whitened advantages and the returns of `experience`."""
    scores = _penalised(experience, settings)
    if settings.baseline == "group":
        scores = relative_to_group(scores, settings.responses)
    advantages, returns = generalised_advantages(
        _token_rewards(experience, scores, settings),
        experience.values,
        experience.mask,
        discount=settings.discount,
        gae_lambda=settings.gae_lambda,
    )
    return Targets(advantages=whiten(advantages, experience.mask), returns=returns)


def objective(experience: Experience, settings: RlhfSettings) -> float:
    """The mean score of a response less its penalties: what PPO raises."""
    rewards = _token_rewards(experience, _penalised(experience, settings), settings)
    return float(rewards.sum(dim=1).mean())


def _penalised(experience: Experience, settings: RlhfSettings) -> Tensor:
    """The scores, [rollouts]; those of responses that did not end are lowered."""
    return experience.scores - settings.missing_end_penalty * (~experience.ended).float()


def _token_rewards(experience: Experience, scores: Tensor, settings: RlhfSettings) -> Tensor:
    return token_rewards(
        scores,
        experience.logprobs,
        experience.reference,
        experience.mask,
        kl_coefficient=settings.kl_coefficient,
    )
