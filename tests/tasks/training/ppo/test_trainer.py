"""Protects learning: it starts at the reference, climbs a reward, stops at its limit, resumes bit by bit."""

import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from tasks.errors import TrainingError
from tasks.training.ppo.loop import in_batches, train
from tasks.training.ppo.policy import Actors, load_actors
from tasks.training.ppo.rollouts import Batch
from tasks.training.ppo.trainer import Trainer, instructive, objective, targets
from tasks.training.settings import RlhfSettings
from tests.contents import hashes
from tests.interpreter import python
from tests.tasks.training.ppo.conftest import CPU
from tests.tasks.training.ppo.learn import PROMPTS, learn

LIKED = 100  # tokens below it are liked: a quarter of the vocabulary


def liking(batch: Batch) -> torch.Tensor:
    """A toy reward: how many liked tokens each response has."""
    return ((batch.tokens < LIKED) * batch.mask).sum(dim=1)


def trainer(actors: Actors, settings: RlhfSettings, seed: int = 0) -> Trainer:
    return Trainer(actors, settings, end=2, generator=torch.Generator().manual_seed(seed))


def batches(settings: RlhfSettings) -> list[tuple[int, ...]]:
    return in_batches(PROMPTS, settings, seed=1)


def weights(actors: Actors) -> dict[str, torch.Tensor]:
    return {name: parameter.detach().clone() for name, parameter in actors.parameters().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_the_first_pass_has_ratio_one(actors: Actors, settings: RlhfSettings) -> None:
    learner = trainer(actors, settings)
    experience = learner.sample(PROMPTS[:8])
    goal = targets(experience, settings)
    losses = learner.gradient(experience, goal, range(8))
    # With ratio 1 the loss is the mean of minus the whitened advantages, which is 0, and nothing is clipped.
    assert losses.policy == pytest.approx(0.0, abs=1e-5)
    assert losses.clip_fraction == 0.0


def test_without_a_price_the_objective_is_the_score(actors: Actors, settings: RlhfSettings) -> None:
    free = settings.model_copy(update={"kl_coefficient": 0.0, "missing_end_penalty": 0.0})
    experience = trainer(actors, free).sample(PROMPTS[:8])
    assert objective(experience, free) == pytest.approx(float(experience.scores.mean()), rel=1e-5)


def test_a_group_is_judged_by_its_differences_alone(actors: Actors, settings: RlhfSettings) -> None:
    free = settings.model_copy(
        update={"kl_coefficient": 0.0, "missing_end_penalty": 0.0, "baseline": "group"}
    )
    experience = trainer(actors, free).sample(PROMPTS[: free.prompts])
    shifted = replace(experience, scores=experience.scores + torch.arange(free.prompts).repeat_interleave(2))
    one, other = targets(experience, free), targets(shifted, free)
    torch.testing.assert_close(one.advantages, other.advantages, atol=1e-5, rtol=1e-5)
    assert objective(shifted, free) == pytest.approx(float(shifted.scores.mean()), abs=1e-5)


def test_groups_that_differ_most_are_learned_from(actors: Actors, settings: RlhfSettings) -> None:
    experience = trainer(actors, settings).sample(PROMPTS[:4])
    scored = replace(experience, scores=torch.tensor([1.0, 1.0, 0.0, 2.0, 3.0, 3.5, 7.0, 7.0]))
    assert instructive(scored, 2) == [1, 2]
    assert instructive(scored, 3) == [1, 2]  # the others say nothing
    assert instructive(scored, 4) == [0, 1, 2, 3]
    assert instructive(replace(scored, scores=torch.ones(8)), 2) == [0, 1]
    chosen = experience.only([1, 2])
    assert chosen.groups == experience.groups[1:3]
    assert torch.equal(chosen.logprobs, experience.logprobs[2:6])
    assert torch.equal(chosen.scores, experience.scores[2:6])


def test_a_response_without_end_is_penalised(actors: Actors, settings: RlhfSettings) -> None:
    priced = settings.model_copy(update={"kl_coefficient": 0.0, "missing_end_penalty": 3.0})
    experience = trainer(actors, priced).sample(PROMPTS[:8])
    missing = 1.0 - experience.ended_share
    assert missing > 0
    wanted = float(experience.scores.mean()) - 3.0 * missing
    assert objective(experience, priced) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("size", [1, 3])
def test_the_gradient_does_not_depend_on_how_a_mini_batch_is_cut(
    actors: Actors, settings: RlhfSettings, size: int
) -> None:
    learner = trainer(actors, settings)
    experience = learner.sample(PROMPTS[:8])
    goal = targets(experience, settings)

    def gradient(rows_at_once: int) -> dict[str, torch.Tensor]:
        learner.optimizer.zero_grad()
        learner.gradient(experience, goal, range(8), size=rows_at_once)
        return {name: p.grad.clone() for name, p in actors.parameters().items() if p.grad is not None}

    whole, cut = gradient(8), gradient(size)
    assert whole.keys() == actors.parameters().keys()
    assert all(torch.allclose(whole[name], cut[name], atol=1e-6) for name in whole)


@pytest.mark.parametrize("baseline", ["none", "group"])
def test_a_reward_that_can_be_climbed_is_climbed(
    baseline: str,
    tiny_base: Path,
    sft_adapter: Path,
    reward_adapter: Path,
    settings: RlhfSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A head of its own with larger weights: the fresh one is so small that no state could prefer a token.
    config = AutoConfig.from_pretrained(tiny_base, tie_word_embeddings=False)
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config)
    torch.nn.init.normal_(model.lm_head.weight, std=0.3)
    model.save_pretrained(tmp_path / "base")
    actors = load_actors(tmp_path / "base", sft_adapter, reward_adapter, CPU, trained_layers=2, longest=512)
    monkeypatch.setattr(actors, "scores", liking)
    free = settings.model_copy(
        update={
            "updates": 15,
            "batch_size": 64,
            "responses": 2,
            "baseline": baseline,
            "kl_coefficient": 0.0,
            "missing_end_penalty": 0.0,
        }
    )
    course = train(trainer(actors, free), batches(free), free, work=tmp_path)
    rewards = [figures.reward for figures in course.curve]
    assert rewards[0] < 2.0
    assert sum(rewards[-3:]) / 3 > 3.5
    assert course.curve[-1].kl > course.curve[0].kl == 0.0


def test_two_runs_are_equal_bit_for_bit(
    tiny_base: Path, sft_adapter: Path, reward_adapter: Path, settings: RlhfSettings, tmp_path: Path
) -> None:
    results = []
    for name in ("one", "two"):
        actors = load_actors(tiny_base, sft_adapter, reward_adapter, CPU, trained_layers=2, longest=512)
        course = train(trainer(actors, settings), batches(settings), settings, work=tmp_path / name)
        results.append((course, weights(actors)))
    assert results[0][0] == results[1][0]
    assert same(results[0][1], results[1][1])


def test_a_policy_that_goes_too_far_is_put_back(
    actors: Actors, settings: RlhfSettings, tmp_path: Path
) -> None:
    free = settings.model_copy(update={"kl_limit": 1e-6})
    start = weights(actors)
    course = train(trainer(actors, free), batches(free), free, work=tmp_path)
    assert course.stopped == "kl_limit"
    assert len(course.curve) == 1
    assert same(weights(actors), start)


def test_a_loss_that_is_no_number_stops_training(actors: Actors, settings: RlhfSettings) -> None:
    learner = trainer(actors, settings)
    experience = learner.sample(PROMPTS[:8])
    broken = replace(experience, scores=experience.scores * float("nan"))
    with pytest.raises(TrainingError, match=r"rlhf\.learning_rate"):
        learner.update(1, broken)


def test_every_prompt_comes_before_any_comes_again(settings: RlhfSettings) -> None:
    order = in_batches(PROMPTS[:10], settings, seed=0)
    assert len(order) == settings.updates * settings.prompts
    assert sorted(order[:10]) == sorted(order[10:20]) == sorted(PROMPTS[:10])


def test_a_killed_run_goes_on_as_if_nothing_had_happened(
    tiny_base: Path,
    sft_adapter: Path,
    reward_adapter: Path,
    settings: RlhfSettings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    script = Path(__file__).with_name("learn.py")
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    inputs = (tiny_base, sft_adapter, reward_adapter)
    words = (script, *inputs, parts, settings.model_dump_json(), 2)
    python(*words, ends=-signal.SIGKILL, OMP_NUM_THREADS=str(torch.get_num_threads()))
    assert not (parts / "adapter").exists()
    learn(*inputs, parts, settings, 0)
    assert "going on from update 2 of 4" in capsys.readouterr().out
    learn(*inputs, whole, settings, 0)
    assert hashes(whole / "adapter") == hashes(parts / "adapter")
    assert (whole / "course").read_text() == (parts / "course").read_text()
