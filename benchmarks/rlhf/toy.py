"""A task on which PPO has to learn, whoever wrote it: say one word as often as an answer has room for.

The policy is a random model of two layers. Both sides are paid the share of a response's room that this word
fills, so nothing but the algorithm tells them apart.
"""

import json
import random
from pathlib import Path
from typing import Any

VOCABULARY, LIKED = 64, 9  # the word that is liked stands in no prompt
PAD, END = 0, 1
ROOM, RESPONSES, PROMPT = 8, 4, 6
LAYERS = 2
REACHED = 0.5  # of the room; at first it is about 1/64


def prepared(place: Path, *, updates: int, prompts: int, threads: int) -> Path:
    """The job as a file in `place`, with the random model and an adapter that changes nothing yet."""
    lora = {
        "r": 8,
        "lora_alpha": 16,
        "target_modules": ["q_proj", "v_proj", "o_proj", "up_proj", "down_proj"],
    }
    lora |= {"task_type": "CAUSAL_LM"}
    policy, adapter = place / "policy", place / "adapter"
    _write_model(policy, adapter, lora)
    drawn = random.Random(1)
    others = [token for token in range(2, VOCABULARY) if token != LIKED]
    asked = [drawn.choices(others, k=PROMPT) for _ in range(updates * prompts)]
    job = {
        "base": str(policy),
        "sft": str(adapter),
        "reward_adapter": None,
        "policy": str(policy),
        "reward": str(policy),
        "work": str(place / "work"),
        "liked": LIKED,
        "prompts": [prompt for prompt in asked for _ in range(RESPONSES)],
        "responses": RESPONSES,
        "updates": updates,
        "rows": prompts * RESPONSES,
        "end": END,
        "pad": PAD,
        "threads": threads,
        "trained_layers": LAYERS,
        "mini_batches": 2,
        "epochs": 4,
        "learning_rate": 3e-3,
        "temperature": 1.0,
        "kl_coefficient": 0.0,
        "missing_end_penalty": None,
        "max_new_tokens": ROOM,
        "lora": lora,
    }
    path = place / "job.json"
    path.write_text(json.dumps(job), encoding="utf-8")
    return path


def share(text: str) -> float:
    """What a response, its tokens as numbers, is worth: the share of its room that the liked word fills."""
    return text.split().count(str(LIKED)) / ROOM


def _write_model(policy: Path, adapter: Path, lora: dict[str, Any]) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from tokenizers import Tokenizer, models
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=LAYERS,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=64,
        tie_word_embeddings=False,
        bos_token_id=PAD,
        eos_token_id=END,
        pad_token_id=PAD,
    )
    model = LlamaForCausalLM(config)
    torch.nn.init.normal_(model.lm_head.weight, std=0.3)  # so that a state can prefer a word
    model.save_pretrained(policy)
    words = {str(token): token for token in range(VOCABULARY)}
    tokenizer = Tokenizer(models.WordLevel(words))
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=str(PAD), eos_token=str(END)
    ).save_pretrained(policy)
    get_peft_model(model, LoraConfig(**lora)).save_pretrained(adapter)
