"""Tiny random models of the families that people tune, each with what is peculiar to it turned on.

Import torch late: the list alone costs nothing.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

COMMON: Mapping[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 2,
}
WINDOW = 8  # tokens that layers with a sliding window look back: fewer than the rows have
EXPERTS: Mapping[str, Any] = {"num_local_experts": 4, "num_experts_per_tok": 2}

# By transformers' model_type: what differs from COMMON. Without its scale or cap a loss would be far off.
FAMILIES: Mapping[str, Mapping[str, Any]] = {
    "llama": {},
    "smollm3": {},
    "mistral": {"sliding_window": WINDOW},
    "qwen2": {},
    "qwen3": {"head_dim": 8},
    "gemma": {"head_dim": 8},
    "gemma2": {
        "head_dim": 8,
        "query_pre_attn_scalar": 8,
        "sliding_window": WINDOW,
        "final_logit_softcapping": 0.1,
    },
    "gemma3_text": {"head_dim": 8, "query_pre_attn_scalar": 8, "sliding_window": WINDOW},
    "phi": {},
    "phi3": {},
    "gpt2": {"n_embd": 32, "n_layer": 4, "n_head": 4, "n_positions": 512, "num_key_value_heads": 4},
    "gpt_neox": {"num_key_value_heads": 4},
    "granite": {
        "logits_scaling": 4.0,
        "embedding_multiplier": 3.0,
        "residual_multiplier": 0.5,
        "attention_multiplier": 0.2,
    },
    "olmo2": {},
    "cohere": {"logit_scale": 0.25},
    "mixtral": EXPERTS,
    "qwen3_moe": {"head_dim": 8, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32},
    "gpt_oss": {**EXPERTS, "head_dim": 8, "sliding_window": WINDOW},
}
# By method: settings small enough for them.
SMALL_SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "selective": {"layers": 2},
    "adapter": {"width": 8},
    "lora": {"rank": 4},
    "qlora": {"rank": 4},
    "prefix": {"tokens": 4, "encoder_width": 16},
    "prompt": {"tokens": 4},
    "p_tuning_v1": {"tokens": 4, "encoder_width": 16},
    "p_tuning_v2": {"tokens": 4},
    "pruning": {"rank": 4},
    "lora_pro": {"rank": 4},
    "hybrid": {"rank": 4, "width": 8, "prefix": 3},
}
CONTROL: Mapping[str, str] = {
    "bos_token": "<|im_start|>",
    "eos_token": "<|im_end|>",
    "pad_token": "<|im_end|>",
    "unk_token": "<|endoftext|>",
}
CHATML = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful AI assistant.<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
WORDS = (
    "Answer from the sources only, in one short sentence. The documentation does not say.",
    "In `svm.SVC`, what is the default of `C`? The default of `C` is `1.0` [1].",
    "svm.SVC C=1.0 : float regularization parameter kernel='rbf' : str gamma='scale' tol=0.001",
    "What does the parameter `kernel` of `svm.SVC` do? system user assistant",
)


def write_tiny_model(folder: Path, family: str = "llama") -> Path:
    """Fill `folder` with a random 4-layer model of the family and a tokenizer of bytes that speaks ChatML."""
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    words = write_tokenizer(folder)
    torch.manual_seed(0)
    config = CONFIG_MAPPING[family](
        **{**COMMON, "vocab_size": words, "tie_word_embeddings": True, **FAMILIES[family]}
    )
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return folder


def write_tokenizer(folder: Path) -> int:
    """Fill `folder` with the tokenizer; the size of its vocabulary.

    As in SmolLM2 the ids 0, 1 and 2 are `<|endoftext|>`, `<|im_start|>` and `<|im_end|>`, and the padding
    token is the end of turn.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator(WORDS, trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, **CONTROL)
    tokenizer.chat_template = CHATML
    tokenizer.save_pretrained(folder)
    return len(tokenizer)
