"""Measures a policy on prompts that it never trained on: greedy answers, their scores, their divergence."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from tasks.scoring.scores import bootstrap
from tasks.training.ppo.experience import experience
from tasks.training.ppo.policy import Actors
from tasks.training.ppo.rollouts import sample
from tasks.training.settings import RlhfSettings

HELD_OUT_ROWS = 16  # prompts that are answered at once
RESAMPLES = 2000  # of the interval of the difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a policy answered greedily: tokens, the reward model's scores, and how far it had moved.

    `kl` is in nats a response, `kl_token` in nats a token.
    """

    responses: list[list[int]]
    scores: list[float]
    kl: float
    kl_token: float
    ended_share: float
    response_length: float


def answer(actors: Actors, prompts: Sequence[Sequence[int]], settings: RlhfSettings, *, end: int) -> Answers:
    """The policy's greedy answers to `prompts`."""
    groups = []
    with actors.activate("policy"):
        for start in range(0, len(prompts), HELD_OUT_ROWS):
            groups += sample(
                actors.decoder,
                prompts[start : start + HELD_OUT_ROWS],
                responses=1,
                end=end,
                max_new_tokens=settings.max_new_tokens,
                temperature=0.0,
                generator=torch.Generator(),
            )
    taken = experience(actors, groups, temperature=settings.temperature)
    return Answers(
        responses=[list(response) for group in groups for response in group.responses],
        scores=[float(score) for score in taken.scores],
        kl=taken.kl,
        kl_token=taken.kl_token,
        ended_share=taken.ended_share,
        response_length=taken.response_length,
    )


def compare(
    before: Answers, after: Answers, quality: Callable[[int, Sequence[int]], float], *, seed: int
) -> dict[str, Any]:
    """The figures of a report: rewards and task scores before and after, with intervals of their differences.

    The reward model is what training climbs, the task score what it stands for: a reward that rises while
    the task score falls has found a blind spot (Gao et al. 2023), and `reward_hacked` says so.

    Args:
        before: of the reference policy.
        after: of the trained one, to the same prompts.
        quality: the task score of a response to the prompt with that number.
        seed: of the resamples.
    """
    rewards = bootstrap(
        [a - b for a, b in zip(after.scores, before.scores, strict=True)], resamples=RESAMPLES, seed=seed
    )
    tasks = [
        [quality(row, response) for row, response in enumerate(answers.responses)]
        for answers in (before, after)
    ]
    moved = bootstrap([a - b for b, a in zip(*tasks, strict=True)], resamples=RESAMPLES, seed=seed)
    return {
        "prompts": len(before.scores),
        "reward_before": _mean(before.scores),
        "reward_after": _mean(after.scores),
        "reward_difference": {"mean": rewards.mean, "low": rewards.low, "high": rewards.high},
        "reward_fell": rewards.mean < 0.0,
        "task_score_before": _mean(tasks[0]),
        "task_score_after": _mean(tasks[1]),
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
