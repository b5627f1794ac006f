"""Adapters over the tiny model as `sft` and `reward` leave them, and the settings of the stage."""

from pathlib import Path

import pytest

from tasks.training_settings import RlhfSettings

END = 2


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


@pytest.fixture(scope="session")
def settings() -> RlhfSettings:
    """A small run without any limit in its way."""
    return RlhfSettings(
        updates=4,
        batch_size=16,
        responses=2,
        oversampling=1,
        baseline="none",
        mini_batches=2,
        epochs=2,
        trained_layers=2,
        learning_rate=0.01,
        kl_coefficient=0.05,
        kl_limit=1000.0,
        clip_range=0.2,
        value_clip_range=0.2,
        value_coefficient=0.1,
        discount=1.0,
        gae_lambda=0.95,
        temperature=1.0,
        max_length=64,
        max_cut=0.05,
        max_new_tokens=6,
        missing_end_penalty=1.0,
        heldout_prompts=4,
        keep="always",
        checkpoints=4,
    )
