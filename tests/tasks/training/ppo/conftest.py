"""Settings of a small run of PPO."""

import pytest

from tasks.training.settings import RlhfSettings

END = 2


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
