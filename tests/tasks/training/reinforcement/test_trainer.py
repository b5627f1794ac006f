"""Protects learning: it starts at the reference, climbs a reward, and tells of a loss that is no number."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tasks.errors import TrainingError
from tasks.training.reinforcement.actors import Actors
from tasks.training.reinforcement.algorithms import ALGORITHMS
from tasks.training.reinforcement.loop import train
from tasks.training.reinforcement.rollouts import given
from tasks.training.rlhf_settings import RlhfSettings
from tests.tasks.training.reinforcement.conftest import by
from tests.tasks.training.reinforcement.learn import PROMPTS
from tests.tasks.training.reinforcement.runs import ordered, sampled, scored, source, trainer


@pytest.mark.parametrize("algorithm", ["ppo", "rloo", "grpo"])
def test_the_first_pass_has_ratio_one(actors: Actors, settings: RlhfSettings, algorithm: str) -> None:
    learner = trainer(actors, by(settings, algorithm))
    experience = sampled(learner)
    losses = learner.gradient(experience, learner.goal(experience), range(8))
    # With ratio 1 the loss is the mean of minus the advantages, which is 0 in all, and nothing is clipped.
    if algorithm != "grpo":  # there a longer response has more tokens to weigh with
        assert losses.policy == pytest.approx(0.0, abs=1e-5)
    assert losses.clip_fraction == 0.0


@pytest.mark.parametrize(
    ("algorithm", "own"),
    [("ppo", {"baseline": "group", "kl_coefficient": 0.0}), ("rloo", {"kl_coefficient": 0.0}), ("grpo", {})],
)
def test_a_group_is_judged_by_its_differences_alone(
    actors: Actors, settings: RlhfSettings, algorithm: str, own: dict[str, object]
) -> None:
    learner = trainer(actors, by(settings, algorithm, **own))
    experience = sampled(learner)
    shifted = replace(experience, scores=experience.scores + torch.arange(8).repeat_interleave(2))
    one, other = learner.goal(experience), learner.goal(shifted)
    torch.testing.assert_close(one["advantages"], other["advantages"], atol=1e-4, rtol=1e-4)


def test_a_response_without_end_is_worth_less(actors: Actors, settings: RlhfSettings) -> None:
    free = by(settings, "rloo", kl_coefficient=0.0).model_copy(update={"missing_end_penalty": 3.0})
    learner = trainer(actors, free)
    found = scored(sampled(learner), *[1.0] * 16)
    cut = [replace(group, ended=(True, False)) for group in found.groups]
    advantages = learner.goal(replace(found, groups=tuple(cut)))["advantages"]
    assert advantages.tolist() == [3.0, -3.0] * 8


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_gradient_does_not_depend_on_how_a_mini_batch_is_cut(
    actors: Actors, settings: RlhfSettings, algorithm: str, size: int
) -> None:
    taught_too = settings.model_copy(
        update={"algorithm": algorithm, "learns_from": source(algorithm), "sft_coefficient": 0.3}
    )
    learner = trainer(actors, taught_too)
    experience = sampled(learner)
    goal = learner.goal(experience)
    taught = learner.taught(PROMPTS[:8])

    def gradient(rows_at_once: int) -> dict[str, torch.Tensor]:
        learner.optimizer.zero_grad()
        learner.gradient(experience, goal, range(8), taught=taught, size=rows_at_once)
        return {name: p.grad.clone() for name, p in actors.parameters().items() if p.grad is not None}

    whole, cut = gradient(8), gradient(size)
    heads = set() if algorithm == "ppo" else {"value_head.weight", "value_head.bias"}
    assert whole.keys() == actors.parameters().keys() - heads
    assert all(torch.allclose(whole[name], cut[name], atol=1e-6) for name in whole)


@pytest.mark.parametrize("algorithm", ["dpo", "orpo"])
def test_pairs_are_whole_where_a_group_has_as_many_answers_as_the_longest_has_tokens(
    actors: Actors, settings: RlhfSettings, algorithm: str
) -> None:
    answers = [((70, 2), (2,)), ((2,), (2,))]  # of two tokens at most; those of the second group have one
    prompts = [replace(PROMPTS[row], answers=given) for row, given in enumerate(answers)]
    pairs = settings.model_copy(update={"algorithm": algorithm, "learns_from": "preferences"})
    learner = trainer(actors, pairs)
    experience = learner.sampler.seen(learner.sampler.draw(prompts), torch.tensor([1.0, 0.0, 1.0, 0.0]))
    losses = learner.gradient(experience, learner.goal(experience), range(2), size=1)
    whole = learner.gradient(experience, learner.goal(experience), range(2), size=2)
    assert losses.policy == pytest.approx(whole.policy, rel=1e-5)


@pytest.mark.parametrize(
    ("algorithm", "own"),
    [
        ("ppo", {"baseline": "none", "kl_coefficient": 0.0}),
        ("ppo", {"baseline": "group", "kl_coefficient": 0.0}),
        ("rloo", {"kl_coefficient": 0.0}),
        ("grpo", {"kl_coefficient": 0.0}),
        ("dpo", {}),
        ("kto", {}),
    ],
)
def test_a_reward_that_can_be_climbed_is_climbed(
    algorithm: str, own: dict[str, object], climbable: Actors, settings: RlhfSettings, tmp_path: Path
) -> None:
    free = by(settings, algorithm, **own).model_copy(
        update={"updates": 15, "prompts": 32, "missing_end_penalty": 0.0}
    )
    course = train(trainer(climbable, free), ordered(free), free, work=tmp_path)
    rewards = [figures.reward for figures in course.curve]
    assert rewards[0] < 2.0
    assert sum(rewards[-3:]) / 3 > 3.0
    assert course.curve[-1].kl > course.curve[0].kl == 0.0


@pytest.mark.parametrize("algorithm", ["dpo", "kto", "orpo"])
def test_the_better_answer_of_a_preference_becomes_likelier_than_the_other(
    algorithm: str, climbable: Actors, settings: RlhfSettings, tmp_path: Path
) -> None:
    given_pairs = settings.model_copy(update={"algorithm": algorithm, "learns_from": "preferences"})
    learner = trainer(climbable, given_pairs)

    def apart() -> torch.Tensor:
        found = sampled(learner, len(PROMPTS))
        sums = (found.logprobs * found.mask).sum(dim=1).view(-1, 2)
        return sums[:, 0] - sums[:, 1]

    before = apart()
    train(learner, ordered(given_pairs), given_pairs, work=tmp_path)
    assert ((apart() - before) > 0).float().mean() > 0.9


def test_good_answers_taught_beside_become_likelier(
    climbable: Actors, settings: RlhfSettings, tmp_path: Path
) -> None:
    likely = []
    for coefficient in (0.0, 1.0):
        taught = by(settings, "grpo").model_copy(update={"sft_coefficient": coefficient})
        learner = trainer(climbable, taught)
        train(learner, ordered(taught), taught, work=tmp_path / str(coefficient))
        rows = given(climbable.decoder, [(prompt.tokens, [prompt.target]) for prompt in PROMPTS])
        found = learner.sampler.seen(rows, torch.zeros(len(rows)))
        likely.append(float((found.logprobs * found.mask).sum()))
        learner.reset()
    assert likely[1] > likely[0] + 1.0


def test_a_loss_that_is_no_number_stops_training(actors: Actors, settings: RlhfSettings) -> None:
    learner = trainer(actors, settings)
    gathered = learner.sampler.gather(PROMPTS[:8])
    broken = replace(gathered.experience, scores=gathered.experience.scores * float("nan"))
    with pytest.raises(TrainingError, match=r"rlhf\.learning_rate"):
        learner.update(1, replace(gathered, experience=broken))
