"""Measures a policy on prompts that it never trained on: its answers, their worth, their divergence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from tasks.scoring.scores import Interval, bootstrap, score
from tasks.training.reinforcement.actors import Actors
from tasks.training.reinforcement.experience import experience, rewarded
from tasks.training.reinforcement.rollouts import Group, answered
from tasks.training.reinforcement.unsaid import Either, abstains_best, either
from tasks.training.reinforcement.worth import Prompt, Worth
from tasks.training.rlhf_settings import MODEL, SCORE, RlhfSettings

HELD_OUT_ROWS = 16  # prompts that are answered at once
MEASURED = 48  # answers by which the divergence is measured
RESAMPLES = 2000  # of the interval of the difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a policy answered: tokens, what they are worth, their task scores, how far it had moved.

    `kl` is in nats a response, `kl_token` in nats a token.
    """

    responses: list[list[int]]
    worths: list[float]
    scores: list[float]
    kl: float
    kl_token: float
    ended_share: float
    response_length: float

    @property
    def score(self) -> float:
        """The mean task score."""
        return _mean(self.scores)

    def goals(self, by_score: bool) -> list[float]:
        """What says how good each answer is: the task's score of it, or what it is worth."""
        return self.scores if by_score else self.worths

    def goal(self, by_score: bool) -> float:
        """The mean of that."""
        return _mean(self.goals(by_score))


def answer(
    actors: Actors,
    prompts: Sequence[Prompt],
    worth: Worth,
    settings: RlhfSettings,
    *,
    end: int,
    abstention: Sequence[int] = (),
) -> Answers:
    """The policy's likeliest answers to `prompts`, in order.

    With the tokens of the `abstention` they are those that a server would give: it is said from the threshold
    on that suits this policy best. How far the policy has moved is measured by the answers to the first of
    the prompts.
    """
    tokens = [prompt.tokens for prompt in prompts]
    limits: dict[str, Any] = {"rows": HELD_OUT_ROWS, "end": end, "max_new_tokens": settings.max_new_tokens}
    with actors.activate("policy"):
        if abstention:
            groups = _as_served(prompts, either(actors.decoder, tokens, abstention, **limits), worth)
        else:
            how = {"responses": 1, "temperature": 0.0, "generator": torch.Generator(), **limits}
            groups = answered(actors.decoder, tokens, **how)
    parts = worth.parts(prompts, groups)
    if worth.asks_model:
        parts[MODEL] = rewarded(actors, groups).cpu()
    read = groups[:MEASURED]
    unscored = torch.zeros(len(read), device=actors.decoder.device)
    taken = experience(actors, read, unscored, temperature=settings.temperature)
    lengths = [len(group.responses[0]) for group in groups]
    return Answers(
        responses=[list(response) for group in groups for response in group.responses],
        worths=worth.total(parts).tolist(),
        scores=parts[SCORE].tolist(),
        kl=taken.kl,
        kl_token=taken.kl_token,
        ended_share=_mean([float(group.ended[0]) for group in groups]),
        response_length=_mean(lengths),
    )


def _as_served(prompts: Sequence[Prompt], found: Sequence[Either], worth: Worth) -> list[Group]:
    """Of each prompt the abstention or the answer, by the threshold under which the scores are best."""
    answering, abstaining = [each.answering for each in found], [each.abstaining for each in found]
    said = abstains_best(
        [each.chance for each in found],
        [prompt.coverage for prompt in prompts],
        abstaining=_scores(prompts, abstaining, worth),
        answering=_scores(prompts, answering, worth),
    )
    return [one if says else other for one, other, says in zip(abstaining, answering, said, strict=True)]


def _scores(prompts: Sequence[Prompt], groups: Sequence[Group], worth: Worth) -> list[float]:
    """The task's score of the one response to each prompt; no function of the user is called for it."""
    return [
        score(prompt.example, worth.decode(group.responses[0]))
        for prompt, group in zip(prompts, groups, strict=True)
    ]


def gained(before: Sequence[float], after: Sequence[float], *, seed: int) -> Interval:
    """The mean paired difference, with its interval."""
    moved = [one - other for one, other in zip(after, before, strict=True)]
    return bootstrap(moved, resamples=RESAMPLES, seed=seed)


def compare(before: Answers, after: Answers, *, seed: int) -> dict[str, Any]:
    """The figures of a report: rewards and task scores before and after, with intervals of their differences.

    The reward is what training climbs, the task score what it stands for: a reward that rises while the task
    score falls has found a blind spot (Gao et al. 2023), and `reward_hacked` says so.

    Args:
        before: of the reference policy.
        after: of the trained one, to the same prompts.
        seed: of the resamples.
    """
    rewards = gained(before.worths, after.worths, seed=seed)
    moved = gained(before.scores, after.scores, seed=seed)
    return {
        "prompts": len(before.scores),
        "reward_before": _mean(before.worths),
        "reward_after": _mean(after.worths),
        "reward_difference": {"mean": rewards.mean, "low": rewards.low, "high": rewards.high},
        "reward_fell": rewards.mean < 0.0,
        "task_score_before": before.score,
        "task_score_after": after.score,
        "task_score_difference": {"mean": moved.mean, "low": moved.low, "high": moved.high},
        "reward_hacked": rewards.mean > 0.0 and moved.high < 0.0,
        "kl": after.kl,
        "kl_token": after.kl_token,
        "changed_answers": sum(a != b for a, b in zip(after.responses, before.responses, strict=True)),
        "ended_share_before": before.ended_share,
        "ended_share_after": after.ended_share,
        "response_length_before": before.response_length,
        "response_length_after": after.response_length,
    }


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
