"""Improves a policy one update at a time, by whichever algorithm.

One update: sample a batch of responses -> log-probabilities, values and worth of them -> what the algorithm
takes from them -> a few passes of its loss over random mini-batches. Lengths are explicit, and the end of
turn is a token like any other: it is chosen, it is scored, and the score is its reward.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from tasks.errors import TrainingError
from tasks.training.reinforcement.actors import Actors
from tasks.training.reinforcement.algorithms import ALGORITHMS
from tasks.training.reinforcement.algorithms.algorithm import Terms, Whole
from tasks.training.reinforcement.algorithms.losses import chosen_logprobs, entropy
from tasks.training.reinforcement.experience import Experience, micro_batches
from tasks.training.reinforcement.gathering import Gathered, Sampler
from tasks.training.reinforcement.rollouts import Group, collate, given
from tasks.training.reinforcement.worth import Prompt
from tasks.training.rlhf_settings import RlhfSettings

GRADIENT_NORM = 1.0  # longer gradients are shortened to it, as the trainers of TRL do


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateFigures:
    """One line of the curve. `reward` is the mean worth of the responses sampled, `score` their task score.

    Both are over the responses to all `drawn` prompts; what follows is over those at the places `learned`,
    which were learned from (none: over the first). `kl` is in nats a response, `kl_token` and `entropy` in
    nats a token, of the policy that sampled. `heldout` is the task score of greedy answers to held-out
    prompts after the update, where it was measured.
    """

    update: int
    reward: float
    score: float
    kl: float
    kl_token: float
    entropy: float
    clip_fraction: float
    value_loss: float
    policy_loss: float
    response_length: float
    repetition: float
    ended_share: float
    drawn: int
    learned: tuple[int, ...]
    heldout: float | None = None


class Losses(NamedTuple):
    """Means over the mini-batches of an update."""

    policy: float
    value: float
    clip_fraction: float


class Trainer:
    """Improves `actors` one update at a time.

    `good` is a copy of what learns, as it was when its divergence was last measured to be within the limit;
    `best` one as it was when held-out prompts were answered best, `earlier` the best one before that.
    """

    def __init__(self, actors: Actors, sampler: Sampler, settings: RlhfSettings) -> None:
        self.actors, self.sampler, self._settings = actors, sampler, settings
        self._algorithm, self._own = ALGORITHMS[settings.algorithm], settings.chosen
        self.optimizer = torch.optim.AdamW(
            actors.parameters().values(), lr=settings.learning_rate, weight_decay=0.0
        )
        self.good = self.best = self.earlier = self._start = self.copy()

    def adapt(self, divergences: Sequence[float]) -> None:
        """Take the settings of the update that follows those which found these divergences."""
        self._own = self._algorithm.after(self._settings.chosen, divergences)

    def update(self, number: int, gathered: Gathered) -> UpdateFigures:
        """Learn from what was gathered for update `number` (from 1)."""
        seen, losses = gathered.experience, Losses(0.0, 0.0, 0.0)
        if gathered.learned:
            # Linear decay to 0, one step an update, as TRL's scheduler.
            rate = self._settings.learning_rate * (1.0 - (number - 1) / self._settings.updates)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            losses = self._learn(seen, self.taught(gathered.prompts), number)
        return UpdateFigures(
            update=number,
            reward=gathered.reward,
            score=gathered.score,
            kl=seen.kl,
            kl_token=seen.kl_token,
            entropy=float(seen.entropy.sum() / seen.mask.sum()),
            clip_fraction=losses.clip_fraction,
            value_loss=losses.value,
            policy_loss=losses.policy,
            response_length=seen.response_length,
            repetition=seen.repetition,
            ended_share=seen.ended_share,
            drawn=gathered.drawn,
            learned=gathered.learned,
        )

    def goal(self, experience: Experience) -> dict[str, Tensor]:
        """What the algorithm takes from `experience`; responses without an end are worth less."""
        worth = experience.scores - self._settings.missing_end_penalty * (~experience.ended).float()
        return self._algorithm.goal(experience, worth, self._own)

    def gradient(
        self,
        experience: Experience,
        goal: dict[str, Tensor],
        rows: Sequence[int],
        *,
        taught: Sequence[Group] = (),
        **size: int,
    ) -> Losses:
        """Add the gradient of the mini-batch of the groups `rows` to the parameters; `size` run at once."""
        members = experience.members(rows)
        whole = Whole(len(rows), len(members), float(experience.mask[members].sum()))
        sums = torch.zeros(3)
        for micro in micro_batches(experience.groups, rows, **size):
            loss = self._algorithm.loss(self._terms(experience, goal, micro, whole), self._own)
            total = loss.total
            if taught:
                total = total + self._settings.sft_coefficient * self._unlikelihood(
                    [taught[row] for row in micro]
                ) * (len(micro) / len(rows))
            total.backward()  # type: ignore[no-untyped-call]
            sums += torch.stack([loss.policy, loss.value, loss.clipped]).detach().cpu()
        return Losses(*sums.tolist())

    def taught(self, prompts: Sequence[Prompt]) -> list[Group]:
        """The good answers to `prompts`, where they are taught beside."""
        if not self._settings.sft_coefficient:
            return []
        with self.actors.activate("policy"):
            return given(self.actors.decoder, [(each.tokens, [each.target]) for each in prompts])

    def keep(self) -> None:
        """Remember what is learned now as good."""
        self.good = self.copy()

    def keep_best(self) -> None:
        """Remember what is learned now as the best."""
        self.earlier, self.best = self.best, self.copy()

    def restore(self, values: dict[str, Tensor]) -> None:
        """Go back to a copy of what learns."""
        with torch.no_grad():
            for name, parameter in self.actors.parameters().items():
                parameter.copy_(values[name])

    def reset(self) -> None:
        """Go back to what there was before the first update."""
        self.restore(self._start)

    def is_start(self) -> bool:
        """Whether what learns is what there was before the first update, to the bit."""
        now = self.actors.parameters()
        return all(torch.equal(now[name], kept) for name, kept in self._start.items())

    @property
    def generator(self) -> torch.Generator:
        """What all draws come from."""
        return self.sampler.generator

    def copy(self) -> dict[str, Tensor]:
        """A copy of what learns, as it is now."""
        return {name: parameter.detach().clone() for name, parameter in self.actors.parameters().items()}

    def _terms(
        self, experience: Experience, goal: dict[str, Tensor], rows: Sequence[int], whole: Whole
    ) -> Terms:
        """The responses of the groups `rows` as the policy sees them now."""
        batch = collate([experience.groups[row] for row in rows])
        members, width = experience.members(rows), batch.tokens.shape[1]
        states = self.actors.before_tokens(batch)
        logits = self.actors.decoder.logits(states) / self._settings.temperature
        priced = getattr(self._own, "entropy_coefficient", 0.0) > 0.0

        def cut(tensor: Tensor) -> Tensor:
            return tensor[members] if tensor.dim() == 1 else tensor[members, :width]

        return Terms(
            size=experience.size,
            whole=whole,
            mask=batch.mask,
            logprobs=chosen_logprobs(logits, batch.tokens),
            sampled=cut(experience.logprobs),
            reference=cut(experience.reference),
            values=self.actors.values(states) if self._algorithm.has_values else None,
            expected=cut(experience.values) if self._algorithm.has_values else None,
            entropy=entropy(logits) if priced else None,
            goal={name: cut(tensor) for name, tensor in goal.items()},
        )

    def _unlikelihood(self, groups: Sequence[Group]) -> Tensor:
        """The loss of fine-tuning: the mean over answers of that of their tokens."""
        batch = collate(groups)
        logits = self.actors.decoder.logits(self.actors.before_tokens(batch))
        likely = chosen_logprobs(logits, batch.tokens) * batch.mask
        return -(likely.sum(dim=1) / batch.mask.sum(dim=1)).mean()

    def _learn(self, experience: Experience, taught: Sequence[Group], number: int) -> Losses:
        settings, goal = self._settings, self.goal(experience)
        seen: list[Losses] = []
        for _ in range(settings.epochs):
            order = torch.randperm(len(experience.groups), generator=self.generator)
            for rows in order.chunk(settings.mini_batches):
                self.optimizer.zero_grad()
                losses = self.gradient(experience, goal, rows.tolist(), taught=taught)
                norm = torch.nn.utils.clip_grad_norm_(self.actors.parameters().values(), GRADIENT_NORM)
                if not (math.isfinite(losses.policy + losses.value) and bool(norm.isfinite())):
                    raise TrainingError(
                        f"the loss of update {number} is not finite; lower rlhf.learning_rate in params.yaml"
                    )
                self.optimizer.step()
                seen.append(losses)
        self.optimizer.zero_grad()
        return Losses(*(sum(part) / len(seen) for part in zip(*seen, strict=True)))
