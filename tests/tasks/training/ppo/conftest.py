"""Settings and models of a small run of PPO."""

from pathlib import Path
from typing import Any

import pytest

from tasks.machine.device import Device
from tasks.training.settings import RlhfSettings

CPU = Device(name="cpu", threads=1, precision="float32")


@pytest.fixture
def actors(tiny_base: Path, sft_adapter: Path, reward_adapter: Path) -> Any:
    """Policy, reference and reward model before anything was learned."""
    from tasks.training.ppo.policy import load_actors

    return load_actors(tiny_base, sft_adapter, reward_adapter, CPU, trained_layers=2, longest=512)


@pytest.fixture(scope="session")
def settings() -> RlhfSettings:
    """Those of a small run."""
    return small()


def small() -> RlhfSettings:
    """A small run without any limit in its way."""
    return RlhfSettings(
        updates=4,
        batch_size=16,
        responses=2,
        oversampling=1,
        baseline="none",
        mini_batches=2,
        epochs=2,
        trained_layers=2,
        learning_rate=0.01,
        kl_coefficient=0.05,
        kl_limit=1000.0,
        clip_range=0.2,
        value_clip_range=0.2,
        value_coefficient=0.1,
        discount=1.0,
        gae_lambda=0.95,
        temperature=1.0,
        max_length=64,
        max_cut=0.05,
        max_new_tokens=6,
        missing_end_penalty=1.0,
        heldout_prompts=4,
        keep="always",
        checkpoints=4,
    )
