"""Runs PPO on a tiny model as a process: `python learn.py BASE SFT REWARD WORK SETTINGS KILL_AT`."""

import os
import signal
import sys
from pathlib import Path

import torch

from tasks.machine.device import Device
from tasks.training.ppo.loop import in_batches, train
from tasks.training.ppo.policy import load_actors
from tasks.training.ppo.trainer import Trainer
from tasks.training.settings import RlhfSettings

PROMPTS = [(1, *range(40 + row, 44 + row % 5 + row)) for row in range(24)]


def learn(base: Path, sft: Path, reward: Path, work: Path, settings: RlhfSettings, kill_at: int) -> None:
    """Train, and save adapter and curve in `work`; the process dies once update `kill_at` is saved."""

    def saved(number: int) -> None:
        if number == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    device = Device(name="cpu", threads=torch.get_num_threads(), precision="float32")
    actors = load_actors(base, sft, reward, device, trained_layers=2, longest=512)
    trainer = Trainer(actors, settings, end=2, generator=torch.Generator().manual_seed(0))
    course = train(trainer, in_batches(PROMPTS, settings, seed=1), settings, work=work, saved=saved)
    actors.save_adapter(work / "adapter")
    (work / "course").write_text(repr(course), encoding="utf-8")


if __name__ == "__main__":
    folders = [Path(word) for word in sys.argv[1:5]]
    learn(*folders, RlhfSettings.model_validate_json(sys.argv[5]), int(sys.argv[6]))
