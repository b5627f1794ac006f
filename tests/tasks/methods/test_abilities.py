"""Protects the table in docs/methods.md: what it says a method can, it can, and what it cannot is refused."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from benchmarks.methods_page import PAGE, page
from deploy.adapters.merging import merge_into
from deploy.errors import EngineError, SettingsError
from tasks.machine.device import set_up_torch
from tasks.methods import METHODS
from tasks.methods.method import ABILITIES, Ability
from tasks.training.rewards.model import new_reward_model
from tests.conftest import ROOT, small_settings
from tests.tasks.methods.conftest import CASES, Tuned, attached, fresh, logits, rows


def able(ability: Ability) -> list[str]:
    """The cases of methods that have the ability, set as they are."""
    return [
        case
        for case, (name, values) in CASES.items()
        if not METHODS[name].refusal(ability, METHODS[name].settings(**values))
    ]


def unable(ability: Ability) -> list[str]:
    return [case for case in CASES if case not in able(ability)]


def test_the_page_says_what_the_code_says() -> None:
    told = (ROOT / PAGE).read_text(encoding="utf-8")
    assert told == page(), "renew it with: python -m benchmarks.methods_page"


@pytest.mark.parametrize(
    ("case", "ability"), [(case, ability) for ability in ABILITIES for case in unable(ability)]
)
def test_what_it_cannot_do_is_refused_with_a_reason(case: str, ability: Ability) -> None:
    name, values = CASES[case]
    with pytest.raises(SettingsError, match=rf"sft\.method {name} cannot .+: .{{15,}}"):
        METHODS[name].require(ability, METHODS[name].settings(**values))


@pytest.mark.parametrize("case", able("merge"))
def test_merged_weights_answer_like_the_adapter(
    case: str, tuned: Tuned, tiny_base: Path, tmp_path: Path
) -> None:
    adapted, folder, _ = tuned(case)
    base = fresh(tiny_base)
    merge_into(base, folder)
    base.save_pretrained(tmp_path / "merged")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "merged", dtype=torch.float32)
    with torch.no_grad():
        torch.testing.assert_close(
            model(input_ids=rows()).logits, logits(adapted, rows()), atol=2e-4, rtol=1e-3
        )
    assert sum(part.numel() for part in model.parameters()) <= sum(
        part.numel() for part in fresh(tiny_base).parameters()
    )


@pytest.mark.parametrize("case", unable("merge"))
def test_what_is_no_weight_is_not_merged(case: str, tuned: Tuned, tiny_base: Path) -> None:
    with pytest.raises(EngineError, match="cannot be merged"):
        merge_into(fresh(tiny_base), tuned(case)[1])


@pytest.mark.parametrize("case", able("mixed_batch"))
def test_rows_of_one_batch_can_have_different_adapters(case: str, tuned: Tuned, tiny_base: Path) -> None:
    from peft import PeftModel

    adapted, folder, _ = tuned(case)
    model = PeftModel.from_pretrained(fresh(tiny_base), folder).eval()
    with torch.no_grad():
        mixed = model(input_ids=rows(), adapter_names=["default", "__base__", "default", "__base__"]).logits
        own, base = logits(adapted, rows()), fresh(tiny_base)(input_ids=rows()).logits
    torch.testing.assert_close(mixed[[0, 2]], own[[0, 2]], atol=2e-4, rtol=1e-3)
    torch.testing.assert_close(mixed[[1, 3]], base[[1, 3]], atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize("case", able("gradient_checkpointing"))
def test_activations_computed_anew_give_the_same_gradients(case: str, tiny_base: Path) -> None:
    def gradients(*, anew: bool) -> list[torch.Tensor | None]:
        adapted = attached(case, tiny_base)
        adapted.model.train()
        if anew:
            adapted.model.activation_checkpointing_enable({"use_reentrant": False})
        loss = logits(adapted, rows()).float().logsumexp(-1).mean()
        return list(torch.autograd.grad(loss, list(adapted.trained().values()), allow_unused=True))

    for one, other in zip(gradients(anew=False), gradients(anew=True), strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("case", able("rlhf"))
def test_a_reward_model_starts_as_the_adapter(case: str, tuned: Tuned, tiny_base: Path) -> None:
    adapted, folder, _ = tuned(case)
    reward = new_reward_model(tiny_base, folder, set_up_torch(small_settings().run)).eval()
    with torch.no_grad():
        found = reward.get_base_model().model(input_ids=rows()).last_hidden_state
        expected = adapted.model.get_decoder()(input_ids=rows()).last_hidden_state
    torch.testing.assert_close(found, expected, atol=2e-4, rtol=1e-3)
