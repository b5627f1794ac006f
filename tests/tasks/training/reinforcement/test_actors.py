"""Protects the split decoder: policy, reference and reward say exactly what they say when loaded alone."""

import shutil
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from deploy.adapters.names import WEIGHTS
from tasks.errors import TrainingError
from tasks.methods.parts.targets import layer_of
from tasks.training.reinforcement.actors import VALUE_HEAD, Actors, load_actors
from tasks.training.reinforcement.experience import experience
from tasks.training.reinforcement.rollouts import Group, collate, sample
from tasks.training.rewards.model import member
from tests.tasks.training.reinforcement.conftest import CPU

PROMPTS = [[1, 40, 41, 42, 43, 44], [1, 50], [1, 60, 61, 62]]


@pytest.fixture
def moved(actors: Actors) -> Actors:
    """The actors after something was learned."""
    torch.manual_seed(5)
    with torch.no_grad():
        for parameter in actors.parameters().values():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return actors


def groups(actors: Actors, *, tokens: int = 5, temperature: float = 1.0) -> list[Group]:
    generator = torch.Generator().manual_seed(3)
    return sample(
        actors.decoder,
        PROMPTS,
        responses=3,
        end=2,
        max_new_tokens=tokens,
        temperature=temperature,
        generator=generator,
    )


def rollouts(groups: list[Group]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Each prompt with each of its responses."""
    return [(group.prompt, response) for group in groups for response in group.responses]


def alone(base: Path, adapter: Path) -> PeftModel:
    return PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), adapter
    ).eval()


def logits_of(model: torch.nn.Module, prompt: tuple[int, ...], response: tuple[int, ...]) -> torch.Tensor:
    """The logits that predict the response, from one row without padding or another response."""
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([[*prompt, *response]])).logits[0]
    return logits[len(prompt) - 1 : -1]


def test_the_cut_lies_below_all_that_differs(actors: Actors) -> None:
    assert actors.decoder.split == 2


def test_a_reward_model_that_differs_further_down_lowers_the_cut(
    tiny_base: Path, sft_adapter: Path, reward_adapter: Path
) -> None:
    actors = load_actors(tiny_base, sft_adapter, reward_adapter, CPU, trained_layers=1, longest=512)
    assert actors.decoder.split == 2
    assert {layer_of(name) for name in actors.trained} == {3}


def test_policy_and_reference_equal_the_models_loaded_alone(
    moved: Actors, tiny_base: Path, sft_adapter: Path, tmp_path: Path
) -> None:
    moved.save_adapter(tmp_path)
    policy, reference = alone(tiny_base, tmp_path), alone(tiny_base, sft_adapter)
    drawn = groups(moved)
    batch = collate(drawn)
    ours = moved.decoder.logits(moved.before_tokens(batch)).detach()
    with torch.no_grad(), moved.activate("policy"):
        merged = moved.decoder.logits(moved.before_tokens(batch))
    with torch.no_grad(), moved.activate("reference"):
        theirs = moved.decoder.logits(moved.before_tokens(batch))
    for row, (prompt, response) in enumerate(rollouts(drawn)):
        length = len(response)
        assert torch.allclose(ours[row, :length], logits_of(policy, prompt, response), atol=1e-5)
        assert torch.allclose(merged[row, :length], logits_of(policy, prompt, response), atol=1e-5)
        assert torch.allclose(theirs[row, :length], logits_of(reference, prompt, response), atol=1e-5)
    assert (ours - theirs).abs().max() > 1e-3


def test_scores_equal_those_of_the_reward_model_loaded_alone(
    moved: Actors, tiny_base: Path, reward_adapter: Path
) -> None:
    base = AutoModelForSequenceClassification.from_pretrained(tiny_base, num_labels=1, dtype=torch.float32)
    base.config.pad_token_id = 0  # the classifier would take the end of turn for padding
    classifier = PeftModel.from_pretrained(base, reward_adapter).eval()
    drawn = groups(moved)
    with torch.no_grad():
        scores = moved.rewards([collate(drawn[:1]), collate(drawn[1:])])
    for row, (prompt, response) in enumerate(rollouts(drawn)):
        with torch.no_grad():
            wanted = classifier(input_ids=torch.tensor([[*prompt, *response]])).logits[0, 0]
        assert torch.allclose(scores[row], wanted, atol=1e-5)


def test_of_several_reward_models_the_lowest_score_counts(
    tiny_base: Path, sft_adapter: Path, reward_adapter: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(reward_adapter, other)
    weights = load_file(other / WEIGHTS)
    save_file({name: -part if "score" in name else part for name, part in weights.items()}, other / WEIGHTS)
    shutil.copytree(reward_adapter, tmp_path / "both")
    shutil.copytree(other, member(tmp_path / "both", 1))

    def scored(adapter: Path) -> torch.Tensor:
        actors = load_actors(tiny_base, sft_adapter, adapter, CPU, trained_layers=2, longest=512)
        with torch.no_grad():
            return actors.rewards([collate(groups(actors))])

    one, two, both = (scored(adapter) for adapter in (reward_adapter, other, tmp_path / "both"))
    assert torch.allclose(one, -two, atol=1e-4)
    assert torch.allclose(both, torch.minimum(one, two), atol=1e-4)


def test_activating_a_role_leaves_the_weights_as_they_were(actors: Actors) -> None:
    batch = collate(groups(actors))
    before = actors.before_tokens(batch)
    with torch.no_grad(), actors.activate("reward_0"):
        assert not torch.equal(actors.before_tokens(batch), before)
    assert torch.equal(actors.before_tokens(batch), before)
    assert all(parameter.requires_grad for parameter in actors.parameters().values())


def test_greedy_decoding_follows_the_whole_model(moved: Actors, tiny_base: Path, tmp_path: Path) -> None:
    moved.save_adapter(tmp_path)
    policy = alone(tiny_base, tmp_path)
    for prompt, response in rollouts(groups(moved, temperature=0.0, tokens=8)):
        assert logits_of(policy, prompt, response).argmax(dim=-1).tolist() == list(response)


def test_the_states_kept_while_decoding_are_those_of_one_pass(actors: Actors) -> None:
    for group in groups(actors):
        start = len(group.prompt)
        for response in group.responses:
            with torch.no_grad():
                whole = actors.decoder.lower(torch.tensor([[*group.prompt, *response]]))[0]
            kept = torch.cat([group.states[: len(group.prompt)], group.states[start : start + len(response)]])
            assert torch.allclose(kept, whole, atol=1e-5)
            start += len(response)


def test_before_anything_is_learned_policy_and_reference_are_one(actors: Actors) -> None:
    found = experience(actors, groups(actors), torch.zeros(9), temperature=1.0)
    assert found.kl == 0.0
    assert torch.equal(found.logprobs, found.reference)
    assert not found.values.any()


def test_the_saved_adapter_is_whole_and_tells_nothing_of_the_machine(
    moved: Actors, sft_adapter: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    moved.save_adapter(tmp_path)
    before, after = (load_file(folder / "adapter_model.safetensors") for folder in (sft_adapter, tmp_path))
    assert before.keys() == after.keys()
    changed = {layer_of(name) for name, tensor in after.items() if not torch.equal(tensor, before[name])}
    assert changed == {2, 3}
    assert load_file(tmp_path / VALUE_HEAD)["weight"].shape == (1, 32)
    assert '"base_model_name_or_path": "base"' in (tmp_path / "adapter_config.json").read_text()


def test_a_reward_model_without_score_head_is_refused(tiny_base: Path, sft_adapter: Path) -> None:
    with pytest.raises(TrainingError, match="no score head"):
        load_actors(tiny_base, sft_adapter, sft_adapter, CPU, trained_layers=2, longest=512)
