"""Protects what an update learns from: groups that differ, and no more than are needed."""

import pytest
import torch

from tasks.training.reinforcement.actors import Actors
from tasks.training.reinforcement.gathering import instructive
from tasks.training.reinforcement.rollouts import Batch, given
from tasks.training.rlhf_settings import RlhfSettings
from tests.tasks.training.reinforcement.learn import PROMPTS
from tests.tasks.training.reinforcement.runs import same, sampled, trainer, weights


def test_groups_that_differ_are_learned_from(actors: Actors, settings: RlhfSettings) -> None:
    worth = torch.tensor([1.0, 1.0, 0.0, 2.0, 3.0, 3.5, 7.0, 7.0])
    assert instructive(worth, 2) == [1, 2]
    assert instructive(torch.ones(8), 2) == []
    assert instructive(torch.ones(3), 1) == [0, 1, 2]
    learner = trainer(actors, settings)
    whole, second = sampled(learner, 4), slice(2, 6)
    chosen = learner.sampler.seen(whole.groups[1:3], whole.scores[second])
    assert chosen.groups == whole.groups[1:3]
    width = chosen.logprobs.shape[1]
    torch.testing.assert_close(chosen.logprobs, whole.logprobs[second, :width])
    assert torch.equal(chosen.scores, whole.scores[second])


def test_prompts_are_drawn_until_enough_of_them_differ(
    actors: Actors, settings: RlhfSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_in_four(batch: Batch, _role: str) -> torch.Tensor:
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
    monkeypatch.setattr(actors, "scores", lambda batch, _role: torch.ones(len(batch.tokens)))
    learner, start = trainer(actors, settings), weights(actors)
    figures = learner.update(1, learner.sampler.gather(PROMPTS[:8]))
    assert figures.learned == ()
    assert figures.reward == 1.0
    assert same(weights(actors), start)


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
