"""Answers of two models to the same prompts, and which of them a judge prefers, whatever their lengths."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deploy.engines.chat import answer_ids, load_tokenizer, prompt_ids
from deploy.engines.engine import Sampling
from deploy.engines.local import TransformersEngine
from deploy.messages import Message
from tasks.machine.device import Device
from tasks.scoring.scores import Interval, bootstrap
from tasks.training.rewards.model import load_reward_model, scores

RESAMPLES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How often the second model wins, ties half; the same at equal length; and mean characters of both."""

    wins: Interval
    at_equal_length: float
    characters: tuple[float, float]
    changed: float


def answers(
    base: Path,
    adapters: dict[str, Path],
    prompts: Sequence[Sequence[Message]],
    device: Device,
    *,
    tokens: int,
) -> dict[str, list[str]]:
    """What each model answers, greedily, as it is served."""
    engine = TransformersEngine(base, adapters, dtype=device.precision, device=device.name, batch_size=16)
    sampling = Sampling(max_new_tokens=tokens, temperature=0.0, top_p=1.0)
    return {
        model: [reply.text for reply in engine.generate(prompts, model=model, sampling=sampling)]
        for model in adapters
    }


def judged(
    base: Path,
    judge: Path,
    prompts: Sequence[Sequence[Message]],
    before: Sequence[str],
    after: Sequence[str],
    device: Device,
    *,
    seed: int,
) -> Verdict:
    """Which answers the reward model in `judge` scores higher."""
    tokenizer = load_tokenizer(base)
    model = load_reward_model(base, judge, device)

    def scored(texts: Sequence[str]) -> list[float]:
        rows = [
            [*prompt_ids(tokenizer, prompt), *answer_ids(tokenizer, text)]
            for prompt, text in zip(prompts, texts, strict=True)
        ]
        return scores(model, rows)

    wins = [
        0.5 if one == other else float(second > first)
        for one, other, first, second in zip(before, after, scored(before), scored(after), strict=True)
    ]
    longer = [len(other) - len(one) for one, other in zip(before, after, strict=True)]
    return Verdict(
        wins=bootstrap(wins, resamples=RESAMPLES, seed=seed),
        at_equal_length=at_equal_length(wins, longer),
        characters=(float(np.mean([*map(len, before)])), float(np.mean([*map(len, after)]))),
        changed=sum(one != other for one, other in zip(before, after, strict=True)) / len(before),
    )


def at_equal_length(wins: Sequence[float], longer: Sequence[float]) -> float:
    """The chance of a win where both answers are of one length, by logistic regression on it.

    As AlpacaEval has it (Dubois et al. 2024, arXiv:2404.04475), with a weak pull
    of the slope to 0, so that it is found where wins and lengths agree throughout.
    """
    won, spread = np.asarray(wins, dtype=float), float(np.std(longer)) or 1.0
    columns = np.stack([np.ones(len(won)), np.asarray(longer, dtype=float) / spread], axis=1)
    weights, pull = np.zeros(2), np.diag([1e-3, 1.0])
    for _ in range(50):  # Newton's steps; the loss is convex
        chance = 1.0 / (1.0 + np.exp(-columns @ weights))
        gradient = columns.T @ (chance - won) + pull @ weights
        curvature = (columns * (chance * (1.0 - chance))[:, None]).T @ columns + pull
        weights = weights - np.linalg.solve(curvature, gradient)
    return 1.0 / (1.0 + math.exp(-weights[0]))
