"""Settings and models of a small run of RLHF."""

from pathlib import Path
from typing import Any

import pytest

from tasks.machine.device import Device
from tasks.training.rlhf_settings import RlhfSettings

LIKED = 100
CPU = Device(name="cpu", threads=1, precision="float32")


@pytest.fixture
def actors(tiny_base: Path, sft_adapter: Path, reward_adapter: Path) -> Any:
    """Policy, reference and reward model before anything was learned."""
    from tasks.training.reinforcement.actors import load_actors

    return load_actors(
        tiny_base, sft_adapter, reward_adapter, CPU, trained_layers=2, longest=512, has_values=True
    )


@pytest.fixture
def climbable(
    tiny_base: Path,
    sft_adapter: Path,
    reward_adapter: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    """Actors on a base whose states can prefer a token, and a reward model that likes the first tokens."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from tasks.training.reinforcement.actors import load_actors

    # A head of its own with larger weights: the fresh one is so small that no state could prefer a token.
    config = AutoConfig.from_pretrained(tiny_base, tie_word_embeddings=False)
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config)
    torch.nn.init.normal_(model.lm_head.weight, std=0.3)
    model.save_pretrained(tmp_path / "base")
    actors = load_actors(
        tmp_path / "base", sft_adapter, reward_adapter, CPU, trained_layers=2, longest=512, has_values=True
    )
    monkeypatch.setattr(actors, "scores", liking)
    return actors


def liking(batch: Any, _role: str) -> Any:
    """A toy reward: how many tokens of the first quarter of the vocabulary each response has."""
    return ((batch.tokens < LIKED) * batch.mask).sum(dim=1)


@pytest.fixture(scope="session")
def settings() -> RlhfSettings:
    """Those of a small run."""
    return small()


def by(settings: RlhfSettings, algorithm: str, **own: object) -> RlhfSettings:
    """The same run by another algorithm."""
    return RlhfSettings.model_validate({**settings.model_dump(), "algorithm": algorithm, algorithm: own})


def small() -> RlhfSettings:
    """A small run without any limit in its way."""
    return RlhfSettings(
        enabled=True,
        algorithm="ppo",
        ppo={"baseline": "none"},  # type: ignore[call-arg]
        learns_from="samples",
        rewards={"model": 1.0},
        by_words=False,
        updates=4,
        prompts=8,
        responses=2,
        redraws=1,
        counterfactuals={},
        sft_coefficient=0.0,
        mini_batches=2,
        epochs=2,
        trained_layers=2,
        learning_rate=0.01,
        kl_limit=1000.0,
        temperature=1.0,
        max_length=64,
        max_cut=0.05,
        max_new_tokens=6,
        missing_end_penalty=1.0,
        heldout_prompts=4,
        heldout_as_served=False,
        validation_passes=2,
        keep="always",
        checkpoints=4,
    )
