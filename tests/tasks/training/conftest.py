"""Tiny rows for fine-tuning, and adapters over the tiny model as `sft` and `reward` leave them."""

from pathlib import Path

import pytest

from deploy.abstention import ABSTENTION
from deploy.messages import Message
from tasks.rows.records import Example
from tasks.rows.tables import write_table
from tasks.settings import Settings, load_settings
from tests.conftest import ROOT


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The project's settings, small enough for a random model of four layers."""
    values = load_settings(ROOT / "params.yaml")
    small = {
        "lora": values.sft.lora.model_copy(update={"rank": 4, "trained_layers": 3}),
        "max_rows": 40,
        "counterfactuals": {},
        "validation_rows": 6,
        "max_length": 300,
        "epochs": 1,
        "batch_size": 4,
        "evaluations": 2,
        "checkpoints": 5,
        "patience": 2,
    }
    run = values.run.model_copy(update={"threads": 1, "precision": "float32"})
    return values.model_copy(update={"run": run, "sft": values.sft.model_copy(update=small)})


@pytest.fixture(scope="session")
def examples() -> list[Example]:
    """Forty-eight questions in three kinds, a third of them without an answer."""
    return [example(n) for n in range(48)]


def example(number: int) -> Example:
    """One question; every third has no answer, every other third lies beyond the listed sources."""
    answerable = number % 3 != 0
    document = "svm.SVC" if number % 3 == 1 else "elsewhere"
    return Example(
        id=f"e{number}",
        source="test",
        task="default" if answerable else "absent",
        messages=(
            Message("user", f"In `svm.SVC`, what is the default of `C`? {'tol ' * (number % 7)}"),
            Message("assistant", "`1.0`" if answerable else ABSTENTION),
        ),
        evidence=(document,) if answerable else (),
        quote="C=1.0 :" if answerable else "",
        withheld=(),
        answerable=answerable,
        group=f"g{number}",
    )


@pytest.fixture(scope="session")
def tables(examples: list[Example], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The rows to train on and those held out, as tables."""
    folder = tmp_path_factory.mktemp("tables")
    write_table(folder / "rows", Example, examples[:42])
    write_table(folder / "held_out", Example, examples[42:])
    return folder / "rows", folder / "held_out"


@pytest.fixture(scope="session")
def sft_adapter(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA over all four layers."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    base = AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.float32)
    config = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(base, config)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    folder = tmp_path_factory.mktemp("rlhf") / "sft"
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def reward_adapter(tiny_base: Path, sft_adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sequence classifier that is the fine-tuned model in its two lower layers and another above."""
    import torch
    from peft import LoraConfig, get_peft_model, set_peft_model_state_dict
    from safetensors.torch import load_file
    from transformers import AutoModelForSequenceClassification

    torch.manual_seed(2)
    base = AutoModelForSequenceClassification.from_pretrained(tiny_base, num_labels=1, dtype=torch.float32)
    config = LoraConfig(
        r=4,
        lora_alpha=8,
        target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
        modules_to_save=["score"],
        task_type="SEQ_CLS",
    )
    model = get_peft_model(base, config)
    weights = load_file(sft_adapter / "adapter_model.safetensors")
    upper = {name: torch.randn_like(t) * 0.1 for name, t in weights.items() if ".2." in name or ".3." in name}
    score = {"base_model.model.score.weight": torch.randn(1, 32)}
    set_peft_model_state_dict(model, {**weights, **upper, **score})
    folder = tmp_path_factory.mktemp("rlhf") / "reward"
    model.save_pretrained(folder)
    return folder
