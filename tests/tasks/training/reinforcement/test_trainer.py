"""Protects learning: it starts at the reference, climbs a reward, stops at its limits, resumes bit by bit."""

import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tasks.errors import TrainingError
from tasks.training.reinforcement.actors import Actors, load_actors
from tasks.training.reinforcement.algorithms import ALGORITHMS
from tasks.training.reinforcement.experience import Experience
from tasks.training.reinforcement.gathering import instructive
from tasks.training.reinforcement.loop import Judged, in_order, train
from tasks.training.reinforcement.rollouts import Batch, given
from tasks.training.reinforcement.trainer import Trainer
from tasks.training.reinforcement.worth import Prompt
from tasks.training.settings import RlhfSettings
from tests.contents import hashes
from tests.interpreter import python
from tests.tasks.training.reinforcement.conftest import CPU, by
from tests.tasks.training.reinforcement.learn import PROMPTS, by_model, learn


def trainer(actors: Actors, settings: RlhfSettings, seed: int = 0) -> Trainer:
    generator = torch.Generator().manual_seed(seed)
    return Trainer(actors, by_model(settings.rewards), settings, end=2, generator=generator)


def ordered(settings: RlhfSettings) -> list[Prompt]:
    return in_order(PROMPTS, settings.updates * settings.drawn_prompts, seed=1)


def weights(actors: Actors) -> dict[str, torch.Tensor]:
    return {name: parameter.detach().clone() for name, parameter in actors.parameters().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def source(algorithm: str) -> str:
    """Whose answers an algorithm learns from here."""
    return "samples" if "samples" in ALGORITHMS[algorithm].sources else "preferences"


def sampled(learner: Trainer, count: int = 8) -> Experience:
    """Responses to the first prompts, whether they differ or not."""
    groups = learner.sampler.draw(PROMPTS[:count])
    return learner.sampler.seen(groups, learner.sampler.worth(PROMPTS[:count], groups)[0])


def scored(experience: Experience, *worths: float) -> Experience:
    return replace(experience, scores=torch.tensor(worths))


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


def test_groups_that_differ_are_learned_from(actors: Actors, settings: RlhfSettings) -> None:
    worth = torch.tensor([1.0, 1.0, 0.0, 2.0, 3.0, 3.5, 7.0, 7.0])
    assert instructive(worth, 2) == [1, 2]
    assert instructive(torch.ones(8), 2) == []
    assert instructive(torch.ones(3), 1) == [0, 1, 2]
    experience = sampled(trainer(actors, settings), 4)
    chosen = experience.only([1, 2])
    assert chosen.groups == experience.groups[1:3]
    assert torch.equal(chosen.logprobs, experience.logprobs[2:6])
    assert torch.equal(chosen.scores, experience.scores[2:6])


def test_prompts_are_drawn_until_enough_of_them_differ(
    actors: Actors, settings: RlhfSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_in_four(batch: Batch) -> torch.Tensor:
        """Of four groups of two responses that run at once, one differs."""
        return (torch.arange(len(batch.tokens)) == 0).float()

    monkeypatch.setattr(actors, "scores", one_in_four)
    learner = trainer(actors, settings.model_copy(update={"prompts": 4, "redraws": 6}))
    enough = learner.sampler.gather(PROMPTS)
    assert [place // 4 for place in enough.learned] == [0, 1, 2, 3]
    assert enough.drawn == 16
    tokens = [group.prompt for group in enough.experience.groups]
    assert tokens == [PROMPTS[place].tokens for place in enough.learned]
    assert enough.reward == pytest.approx(1 / 8)
    too_few = learner.sampler.gather(PROMPTS[:10])
    assert [place // 4 for place in too_few.learned] == [0, 1, 2]


def test_where_nothing_differs_nothing_is_learned(
    actors: Actors, settings: RlhfSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actors, "scores", lambda batch: torch.ones(len(batch.tokens)))
    learner, start = trainer(actors, settings), weights(actors)
    figures = learner.update(1, learner.sampler.gather(PROMPTS[:8]))
    assert figures.learned == ()
    assert figures.reward == 1.0
    assert same(weights(actors), start)


def test_a_response_without_end_is_worth_less(actors: Actors, settings: RlhfSettings) -> None:
    free = by(settings, "rloo", kl_coefficient=0.0).model_copy(update={"missing_end_penalty": 3.0})
    learner = trainer(actors, free)
    found = scored(sampled(learner), *[1.0] * 16)
    cut = [replace(group, ended=(True, False)) for group in found.groups]
    advantages = learner.goal(replace(found, groups=tuple(cut)))["advantages"]
    assert advantages.tolist() == [3.0, -3.0] * 8


def test_answers_that_are_given_are_read_as_those_that_were_sampled(actors: Actors) -> None:
    from tasks.training.reinforcement.experience import experience

    prompts = PROMPTS[:3]
    groups = given(actors.decoder, [(prompt.tokens, prompt.answers) for prompt in prompts])
    read = experience(actors, groups, torch.zeros(6), temperature=1.0)
    for row, prompt in enumerate(prompts):
        for place, response in enumerate(prompt.answers):
            tokens = torch.tensor([[*prompt.tokens, *response]])
            with torch.no_grad():
                logits = actors.decoder.logits(actors.decoder.upper(actors.decoder.lower(tokens)))[0]
            before = logits[len(prompt.tokens) - 1 : -1].log_softmax(-1)
            wanted = before.gather(1, torch.tensor(response).unsqueeze(1)).squeeze(1)
            found = read.logprobs[2 * row + place, : len(response)]
            torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)


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


def test_two_runs_are_equal_bit_for_bit(
    tiny_base: Path, sft_adapter: Path, reward_adapter: Path, settings: RlhfSettings, tmp_path: Path
) -> None:
    results = []
    for name in ("one", "two"):
        actors = load_actors(
            tiny_base, sft_adapter, reward_adapter, CPU, trained_layers=2, longest=512, has_values=True
        )
        course = train(trainer(actors, settings), ordered(settings), settings, work=tmp_path / name)
        results.append((course, weights(actors)))
    assert results[0][0] == results[1][0]
    assert same(results[0][1], results[1][1])


def test_a_policy_that_goes_too_far_is_put_back(
    actors: Actors, settings: RlhfSettings, tmp_path: Path
) -> None:
    free = settings.model_copy(update={"kl_limit": 1e-6})
    start = weights(actors)
    course = train(trainer(actors, free), ordered(free), free, work=tmp_path)
    assert course.stopped == "kl_limit"
    assert len(course.curve) == 1
    assert same(weights(actors), start)


def judging(*scores: float, kl: float = 0.0, fell: bool = False) -> Callable[[], Judged]:
    """A judge that finds these scores one after the other."""
    left = iter(scores)
    return lambda: Judged(score=next(left), kl=kl, fell=fell)


def test_the_state_that_answers_held_out_prompts_best_is_kept(
    actors: Actors, settings: RlhfSettings, tmp_path: Path
) -> None:
    better = settings.model_copy(update={"keep": "better", "evaluations": 4})
    learner, states = trainer(actors, better), {}

    def judge() -> Judged:
        states[len(states) + 1] = weights(actors)
        return Judged(score=(0.5, 0.8, 0.7, 0.8)[len(states) - 1], kl=0.0, fell=False)

    course = train(learner, ordered(better), better, work=tmp_path, judge=judge, first=0.6)
    assert [figures.heldout for figures in course.curve] == [0.5, 0.8, 0.7, 0.8]
    assert same(weights(actors), states[2])
    assert not learner.is_start()


def test_where_no_state_is_better_what_was_there_before_is_kept(
    actors: Actors, settings: RlhfSettings, tmp_path: Path
) -> None:
    better = settings.model_copy(update={"keep": "better"})
    learner = trainer(actors, better)
    train(learner, ordered(better), better, work=tmp_path, judge=judging(0.5, 0.6), first=0.6)
    assert learner.is_start()


@pytest.mark.parametrize(
    ("judge", "stopped"),
    [(judging(0.1, fell=True), "score_fell"), (judging(0.9, kl=2000.0), "kl_limit")],
)
def test_held_out_prompts_stop_it(
    judge: Callable[[], Judged], stopped: str, actors: Actors, settings: RlhfSettings, tmp_path: Path
) -> None:
    better = settings.model_copy(update={"keep": "better", "evaluations": 2})
    learner = trainer(actors, better)
    course = train(learner, ordered(better), better, work=tmp_path, judge=judge, first=0.6)
    assert (course.stopped, len(course.curve)) == (stopped, 2)
    assert learner.is_start()


def test_a_loss_that_is_no_number_stops_training(actors: Actors, settings: RlhfSettings) -> None:
    learner = trainer(actors, settings)
    gathered = learner.sampler.gather(PROMPTS[:8])
    broken = replace(gathered.experience, scores=gathered.experience.scores * float("nan"))
    with pytest.raises(TrainingError, match=r"rlhf\.learning_rate"):
        learner.update(1, replace(gathered, experience=broken))


def test_every_prompt_comes_before_any_comes_again() -> None:
    order = in_order(PROMPTS[:10], 32, seed=0)
    assert len(order) == 32
    tokens = [[prompt.tokens for prompt in part] for part in (order[:10], order[10:20], PROMPTS[:10])]
    assert sorted(tokens[0]) == sorted(tokens[1]) == sorted(tokens[2])


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


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_by_each_algorithm_an_interrupted_run_ends_in_equal_bytes(
    algorithm: str,
    tiny_base: Path,
    sft_adapter: Path,
    reward_adapter: Path,
    settings: RlhfSettings,
    tmp_path: Path,
) -> None:
    chosen = settings.model_copy(
        update={"algorithm": algorithm, "learns_from": source(algorithm), "redraws": 2, "keep": "better"}
    )

    def interrupted(number: int) -> None:
        if number == 3:
            raise KeyboardInterrupt

    def run(folder: str, saved: Callable[[int], None]) -> tuple[object, dict[str, torch.Tensor]]:
        actors = load_actors(
            tiny_base, sft_adapter, reward_adapter, CPU, trained_layers=2, longest=512, has_values=True
        )
        learner = trainer(actors, chosen)

        def judge() -> Judged:
            score = float(sum(part.abs().sum() for part in weights(actors).values()))
            return Judged(score=score, kl=0.0, fell=False)

        work = tmp_path / folder
        course = train(learner, ordered(chosen), chosen, work=work, judge=judge, saved=saved)
        return course, weights(actors)

    whole = run("whole", lambda _number: None)
    with pytest.raises(KeyboardInterrupt):
        run("parts", interrupted)
    parts = run("parts", lambda _number: None)
    assert whole[0] == parts[0]
    assert same(whole[1], parts[1])
