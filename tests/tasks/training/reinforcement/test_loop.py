"""Protects the run of updates: its limits, the state that is kept, and that it resumes bit by bit."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tasks.training.reinforcement.actors import Actors, load_actors
from tasks.training.reinforcement.algorithms import ALGORITHMS
from tasks.training.reinforcement.loop import Judged, in_order, train
from tasks.training.rlhf_settings import RlhfSettings
from tests.contents import hashes
from tests.interpreter import python
from tests.tasks.training.reinforcement.conftest import CPU
from tests.tasks.training.reinforcement.learn import PROMPTS, learn
from tests.tasks.training.reinforcement.runs import ordered, same, source, trainer, weights


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
    better = settings.model_copy(update={"keep": "better", "validation_passes": 4})
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
    better = settings.model_copy(update={"keep": "better", "validation_passes": 2})
    learner = trainer(actors, better)
    course = train(learner, ordered(better), better, work=tmp_path, judge=judge, first=0.6)
    assert (course.stopped, len(course.curve)) == (stopped, 2)
    assert learner.is_start()


def test_a_best_state_that_is_then_seen_to_be_too_far_is_not_the_result(
    actors: Actors, settings: RlhfSettings, tmp_path: Path
) -> None:
    near = settings.model_copy(
        update={"keep": "better", "validation_passes": settings.updates, "kl_limit": 1e-6}
    )
    learner = trainer(actors, near)
    course = train(learner, ordered(near), near, work=tmp_path, judge=judging(0.9), first=0.6)
    assert (course.stopped, course.best_after, len(course.curve)) == ("kl_limit", 1, 1)
    assert learner.is_start()


def test_a_run_that_had_stopped_before_a_kill_does_not_go_on(
    tiny_base: Path, sft_adapter: Path, settings: RlhfSettings, tmp_path: Path, reward_adapter: Path
) -> None:
    better = settings.model_copy(update={"keep": "better", "validation_passes": 2, "checkpoints": 2})

    def killed(_number: int) -> None:
        raise KeyboardInterrupt

    def run(judge: Callable[[], Judged], saved: Callable[[int], None]) -> tuple[str, int]:
        actors = load_actors(
            tiny_base, sft_adapter, reward_adapter, CPU, trained_layers=2, longest=512, has_values=True
        )
        learner = trainer(actors, better)
        course = train(learner, ordered(better), better, work=tmp_path, judge=judge, first=0.6, saved=saved)
        assert learner.is_start()
        return course.stopped, len(course.curve)

    with pytest.raises(KeyboardInterrupt):
        run(judging(0.1, fell=True), killed)
    assert run(judging(), lambda _number: None) == ("score_fell", 2)


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
    followed = settings.ppo.model_copy(update={"kl_target": 0.01, "kl_gain": 1.0})
    chosen = settings.model_copy(
        update={
            "algorithm": algorithm,
            "learns_from": source(algorithm),
            "redraws": 2,
            "keep": "better",
            "ppo": followed,
        }
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
