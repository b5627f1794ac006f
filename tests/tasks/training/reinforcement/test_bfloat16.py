"""Protects RLHF beside a base in bfloat16: the policy says, and learns, what it would in float32."""

from dataclasses import replace
from pathlib import Path

import torch
from torch.nn import functional

from tasks.training.reinforcement.actors import Actors, load_actors
from tasks.training.rlhf_settings import RlhfSettings
from tests.tasks.training.reinforcement.conftest import CPU
from tests.tasks.training.reinforcement.learn import PROMPTS
from tests.tasks.training.reinforcement.runs import trainer as small_trainer

TOKENS = torch.arange(3, 35)[None]


def loaded(base: Path, sft: Path, reward: Path, precision: str) -> Actors:
    device = replace(CPU, precision=precision)  # type: ignore[arg-type]
    return load_actors(base, sft, reward, device, trained_layers=2, longest=512, has_values=True)


def test_what_is_likely_and_how_to_make_it_so_are_those_of_float32(
    tiny_base: Path, sft_adapter: Path, reward_adapter: Path
) -> None:
    likely, gradients = [], []
    for precision in ("float32", "bfloat16"):
        actors = loaded(tiny_base, sft_adapter, reward_adapter, precision)
        decoder = actors.decoder
        chances = decoder.logits(decoder.upper(decoder.lower(TOKENS))).log_softmax(-1)
        said = chances[0, :-1].gather(1, TOKENS[0, 1:, None]).squeeze(1)
        said.mean().backward()  # type: ignore[no-untyped-call]
        likely.append(said.detach())
        gradients.append(torch.cat([part.grad.flatten() for part in actors.trained.values()]))  # type: ignore[union-attr]
    torch.testing.assert_close(likely[1], likely[0], atol=0.05, rtol=0.01)
    assert functional.cosine_similarity(gradients[0], gradients[1], dim=0) > 0.97


def test_it_learns_in_float32_and_moves(
    tiny_base: Path, sft_adapter: Path, reward_adapter: Path, settings: RlhfSettings
) -> None:
    actors = loaded(tiny_base, sft_adapter, reward_adapter, "bfloat16")
    before = {name: part.detach().clone() for name, part in actors.parameters().items()}
    trainer = small_trainer(actors, settings)
    trainer.update(1, trainer.sampler.gather(PROMPTS[: settings.drawn_prompts]))
    assert {part.dtype for part in actors.parameters().values()} == {torch.float32}
    assert all(torch.isfinite(part).all() for part in actors.parameters().values())
    assert any(not torch.equal(part, before[name]) for name, part in actors.parameters().items())
