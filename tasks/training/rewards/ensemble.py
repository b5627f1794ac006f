"""Reward models that learned apart: an answer is worth what the most doubtful of them says.

A policy that climbs one reward model finds its blind spots; two that learned in another order, from another
head, share fewer of them (Coste et al. 2023, arXiv:2310.02743: worst-case optimisation).
"""

from collections.abc import Sequence
from pathlib import Path

from tasks.machine.device import Device
from tasks.training.rewards.comparisons import Comparison, answer_scores
from tasks.training.rewards.model import load_reward_model, members


def lowest_scores(base: Path, folder: Path, rows: Sequence[Comparison], device: Device) -> list[list[float]]:
    """The score of each answer, row by row: the lowest that a member of the reward model gives it.

    Raises:
        TrainingError: an adapter is missing or does not fit.
    """
    by_member = [answer_scores(load_reward_model(base, each, device), rows) for each in members(folder)]
    return [[min(scores) for scores in zip(*row, strict=True)] for row in zip(*by_member, strict=True)]
