"""Runs RLHF on a tiny model as a process: `python learn.py BASE SFT REWARD WORK SETTINGS KILL_AT`."""

import os
import signal
import sys
from pathlib import Path

import torch

from tasks.machine.device import Device
from tasks.training.reinforcement.actors import load_actors
from tasks.training.reinforcement.algorithms import ALGORITHMS
from tasks.training.reinforcement.gathering import Sampler
from tasks.training.reinforcement.loop import in_order, train
from tasks.training.reinforcement.trainer import Trainer
from tasks.training.reinforcement.worth import Prompt, Worth
from tasks.training.rlhf_settings import RlhfSettings
from tests.tasks.rows.made import question


def prompt(row: int) -> Prompt:
    """A prompt whose good answer, and a worse one, are there, too."""
    return Prompt(
        tokens=(1, *range(40 + row, 44 + row % 5 + row)),
        example=question(f"p{row}", f"{row}?", "70 71"),
        target=(70 + row, 71, 2),
        answers=((70 + row, 71, 2), (80, 2)),
        worths=(1.0, 0.0),
    )


PROMPTS = [prompt(row) for row in range(24)]


def by_model(weights: dict[str, float]) -> Worth:
    """What responses are worth; a response reads as its tokens."""
    return Worth(weights=weights, decode=lambda tokens: " ".join(map(str, tokens)))


def learn(base: Path, sft: Path, reward: Path, work: Path, settings: RlhfSettings, kill_at: int) -> None:
    """Train, and save adapter and curve in `work`; the process dies once update `kill_at` is saved."""

    def saved(number: int) -> None:
        if number == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    device = Device(name="cpu", threads=torch.get_num_threads(), precision="float32")
    actors = load_actors(
        base,
        sft,
        reward,
        device,
        trained_layers=2,
        longest=512,
        has_values=ALGORITHMS[settings.algorithm].has_values,
    )
    generator = torch.Generator().manual_seed(0)
    sampler = Sampler(actors, by_model(settings.rewards), settings, end=2, generator=generator)
    trainer = Trainer(actors, sampler, settings)
    order = in_order(PROMPTS, settings.updates * settings.drawn_prompts, seed=1)
    course = train(trainer, order, settings, work=work, saved=saved)
    actors.save_adapter(work / "adapter")
    (work / "course").write_text(repr(course), encoding="utf-8")


if __name__ == "__main__":
    folders = [Path(word) for word in sys.argv[1:5]]
    learn(*folders, RlhfSettings.model_validate_json(sys.argv[5]), int(sys.argv[6]))
