"""Small runs of RLHF: a trainer of them, what it samples, and what it has learned."""

from dataclasses import replace

import torch

from tasks.training.reinforcement.actors import Actors
from tasks.training.reinforcement.algorithms import ALGORITHMS
from tasks.training.reinforcement.experience import Experience
from tasks.training.reinforcement.gathering import Sampler
from tasks.training.reinforcement.loop import in_order
from tasks.training.reinforcement.trainer import Trainer
from tasks.training.reinforcement.worth import Prompt
from tasks.training.rlhf_settings import RlhfSettings
from tests.tasks.training.reinforcement.learn import PROMPTS, by_model


def trainer(actors: Actors, settings: RlhfSettings, seed: int = 0) -> Trainer:
    generator = torch.Generator().manual_seed(seed)
    sampler = Sampler(actors, by_model(settings.rewards), settings, end=2, generator=generator)
    return Trainer(actors, sampler, settings)


def ordered(settings: RlhfSettings) -> list[Prompt]:
    return in_order(PROMPTS, settings.updates * settings.drawn_prompts, seed=1)


def weights(actors: Actors) -> dict[str, torch.Tensor]:
    return {name: parameter.detach().clone() for name, parameter in actors.parameters().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def source(algorithm: str) -> str:
    """Whose answers an algorithm learns from here."""
    sources = ALGORITHMS[algorithm].sources
    return next(name for name in ("samples", "preferences", "answers") if name in sources)


def sampled(learner: Trainer, count: int = 8) -> Experience:
    """Responses to the first prompts, whether they differ or not."""
    groups = learner.sampler.draw(PROMPTS[:count])
    return learner.sampler.seen(groups, learner.sampler.worth(PROMPTS[:count], groups)[0])


def scored(experience: Experience, *worths: float) -> Experience:
    return replace(experience, scores=torch.tensor(worths))
