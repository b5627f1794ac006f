"""Answers of two models to the same prompts, and which of them a judge prefers, whatever their lengths."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deploy.engines.chat import answer_ids, load_tokenizer, prompt_ids
from deploy.engines.engine import Generation, Sampling
from deploy.engines.local import TransformersEngine
from deploy.messages import Message
from tasks.machine.device import Device
from tasks.scoring.scores import Interval, bootstrap
from tasks.training.rewards.model import load_reward_model, scores

RESAMPLES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How often the second model wins, ties half; the same at equal length; and how long both answer.

    `characters` are the median of each model, `ended` the share of its answers that come to their end. One
    that goes on for ever loses to any other and makes a mean long, so `both_ended` has the wins without such.
    """

    wins: Interval
    both_ended: Interval | None
    at_equal_length: float
    characters: tuple[float, float]
    ended: tuple[float, float]
    changed: float


def answers(
    base: Path,
    adapters: dict[str, Path],
    prompts: Sequence[Sequence[Message]],
    device: Device,
    *,
    tokens: int,
) -> dict[str, list[Generation]]:
    """What each model answers, greedily, as it is served."""
    engine = TransformersEngine(base, adapters, dtype=device.precision, device=device.name, batch_size=16)
    sampling = Sampling(max_new_tokens=tokens, temperature=0.0, top_p=1.0)
    return {model: engine.generate(prompts, model=model, sampling=sampling) for model in adapters}


def judged(
    base: Path,
    judge: Path,
    prompts: Sequence[Sequence[Message]],
    before: Sequence[Generation],
    after: Sequence[Generation],
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

    said, then = ([each.text for each in some] for some in (before, after))
    wins = [
        0.5 if one == other else float(second > first)
        for one, other, first, second in zip(said, then, scored(said), scored(then), strict=True)
    ]
    whole = [
        win for win, one, other in zip(wins, before, after, strict=True) if one.finished and other.finished
    ]
    longer = [len(other) - len(one) for one, other in zip(said, then, strict=True)]
    return Verdict(
        wins=bootstrap(wins, resamples=RESAMPLES, seed=seed),
        both_ended=bootstrap(whole, resamples=RESAMPLES, seed=seed) if whole else None,
        at_equal_length=at_equal_length(wins, longer),
        characters=(_characters(before), _characters(after)),
        ended=(_ended(before), _ended(after)),
        changed=sum(one != other for one, other in zip(said, then, strict=True)) / len(said),
    )


def _characters(answers: Sequence[Generation]) -> float:
    return float(np.median([len(each.text) for each in answers]))


def _ended(answers: Sequence[Generation]) -> float:
    return sum(each.finished for each in answers) / len(answers)


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
