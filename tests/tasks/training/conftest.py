"""Tiny rows for fine-tuning, and adapters over the tiny model as `sft` and `reward` leave them."""

from pathlib import Path

import pytest

from tasks.rows.records import Example
from tasks.rows.tables import write_table
from tasks.settings import Settings, load_settings
from tests.conftest import ROOT, small_settings, write_random_lora
from tests.tasks.rows.made import ASKED, default_asked
from tests.tasks.training.rlhf_stage import Stage


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The project's settings, small enough for a random model of four layers."""
    lora = load_settings(ROOT / "params.yaml").sft.lora
    small = {
        "lora": lora.model_copy(update={"rank": 4, "trained_layers": 3}),
        "max_rows": 40,
        "companions": 0,
        "counterfactuals": {},
        "validation_rows": 6,
        "max_length": 300,
        "epochs": 1,
        "batch_size": 4,
        "accumulation": 1,
        "validation_passes": 2,
        "checkpoints": 5,
        "patience": 2,
    }
    return small_settings(sft=small)


@pytest.fixture(scope="session")
def examples() -> list[Example]:
    """Forty-eight questions in three kinds, a third of them without an answer."""
    return [example(n) for n in range(48)]


def example(number: int) -> Example:
    """One question; every third has no answer, every other third lies beyond the listed sources."""
    document = (None, "svm.SVC", "elsewhere")[number % 3]
    return default_asked(f"e{number}", f"{ASKED} {'tol ' * (number % 7)}", document=document)


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
    return write_random_lora(tmp_path_factory.mktemp("rlhf") / "sft", tiny_base, seed=1, spread=0.1)


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


@pytest.fixture
def stage(
    tmp_path: Path, tiny_base: Path, tiny_embedder: Path, sft_adapter: Path, reward_adapter: Path
) -> Stage:
    """The stage `rlhf` in a folder of its own."""
    return Stage(tmp_path, tiny_base, tiny_embedder, sft_adapter, reward_adapter)
