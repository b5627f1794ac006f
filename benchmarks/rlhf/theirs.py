"""PPO by TRL 1.12.0, in an environment of its own: `python theirs.py JOB.json`. It imports nothing of ours.

Prints one JSON object: how many responses a second were learned from after the first update, and the mean
reward of each update.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

MICRO = 8  # responses of which logits are held at once: of 32 they and their gradients take 15 GB


def main() -> int:
    """Train as the job says."""
    os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import (
        AutoModelForCausalLM,
        AutoModelForSequenceClassification,
        AutoTokenizer,
        TrainerCallback,
    )
    from trl.experimental.ppo import PPOConfig, PPOTrainer

    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    torch.set_num_threads(job["threads"])
    torch.manual_seed(1)
    tokenizer = AutoTokenizer.from_pretrained(job["policy"], padding_side="left")
    tokenizer.pad_token_id = job["pad"]

    def classifier() -> Any:
        found = AutoModelForSequenceClassification.from_pretrained(
            job["reward"], num_labels=1, dtype=torch.float32
        )
        found.config.pad_token_id = job["pad"]
        return found

    # Of the value model its head learns, as on our side: to train its layers as well would take TRL longer.
    value = classifier()
    value.base_model.requires_grad_(False)
    times: list[float] = []
    rewards: list[float] = []

    class Watch(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            times.append(time.monotonic())

        def on_log(self, *_: Any, logs: Any = None, **__: Any) -> None:
            if logs and "objective/scores" in logs:
                rewards.append(round(float(logs["objective/scores"]), 4))

    responses = len(job["prompts"]) // job["updates"]
    config = PPOConfig(
        output_dir=job["work"],
        per_device_train_batch_size=MICRO,
        gradient_accumulation_steps=responses // MICRO,
        num_mini_batches=job["mini_batches"],
        num_ppo_epochs=job["epochs"],
        total_episodes=len(job["prompts"]),
        local_rollout_forward_batch_size=job["rows"],
        response_length=job["max_new_tokens"],
        stop_token_id=job["end"],
        temperature=job["temperature"],
        kl_coef=job["kl_coefficient"],
        missing_eos_penalty=job["missing_end_penalty"],
        learning_rate=job["learning_rate"],
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        num_sample_generations=0,
        save_strategy="no",
        report_to="none",
        logging_steps=1,
        disable_tqdm=True,
        seed=1,
    )
    rows = Dataset.from_list([{"input_ids": prompt} for prompt in job["prompts"]])
    trainer = PPOTrainer(
        args=config,
        processing_class=tokenizer,
        model=AutoModelForCausalLM.from_pretrained(job["policy"], dtype=torch.float32),
        ref_model=None,
        reward_model=counting(job) if "liked" in job else classifier(),
        value_model=value,
        train_dataset=rows,
        eval_dataset=rows.select(range(1)),
        peft_config=LoraConfig(**job["lora"]),
        callbacks=[Watch()],
    )
    trainer.train()
    steady = (len(times) - 1) * responses / (times[-1] - times[0])
    print(json.dumps({"samples_per_s": steady, "rewards": rewards}))
    return 0


def counting(job: dict[str, Any]) -> Any:
    """A reward model that pays each liked word by its share of a response's room; no prompt has one."""
    from types import SimpleNamespace

    import torch

    class Body(torch.nn.Module):
        def forward(self, input_ids: Any, **_: Any) -> Any:
            liked = (input_ids == job["liked"]).cumsum(dim=1).float() / job["max_new_tokens"]
            return SimpleNamespace(hidden_states=[liked.unsqueeze(-1)])

    class Counting(torch.nn.Module):
        base_model_prefix = "body"

        def __init__(self) -> None:
            super().__init__()
            self.body, self.score = Body(), torch.nn.Linear(1, 1, bias=False)
            torch.nn.init.ones_(self.score.weight)

    return Counting()


if __name__ == "__main__":
    raise SystemExit(main())
