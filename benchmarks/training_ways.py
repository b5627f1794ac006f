"""The ways of training that `benchmarks.training` compares: the stage's own, and TRL's SFTTrainer."""

import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.own_trainer import own_trainer
from benchmarks.places import lora_of
from tasks.settings import Settings
from tasks.training.tuning.tokens import TokenRow

INSTRUCTIONS = 58  # tokens that every prompt of the default template begins with
ANSWER = 0.1  # share of a row that is answer
LORA = {"target_modules": "all-linear"}
# Settings of SFTTrainer. Those without a name of the command line are: no recomputation of activations,
# batches of rows of one length, and the number of rows in a batch.
FAST: dict[str, Any] = {
    "gradient_checkpointing": None,
    "activation_checkpointing": False,
    "train_sampling_strategy": "group_by_length",
}
CANDIDATES: dict[str, dict[str, Any]] = {
    "defaults": {"train_sampling_strategy": "sequential"},
    "float32, 4 rows": {**FAST, "bf16": False, "per_device_train_batch_size": 4},
    "float32, 8 rows": {**FAST, "bf16": False, "per_device_train_batch_size": 8},
    "bfloat16, 4 rows": {**FAST, "bf16": True, "per_device_train_batch_size": 4},
    "bfloat16, 8 rows": {**FAST, "bf16": True, "per_device_train_batch_size": 8},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """How many rows of which lengths, in tokens, a measurement takes."""

    count: int
    shortest: int
    longest: int

    def drawn(self, vocabulary: int, *, warming: int) -> list[TokenRow]:
        """Random rows that begin alike; `warming` more than are counted. The same at each call."""
        choice = random.Random(0)
        instructions = tuple(choice.randrange(3, vocabulary) for _ in range(INSTRUCTIONS))
        result: list[TokenRow] = []
        for _ in range(self.count + warming):
            length = choice.randint(self.shortest, self.longest)
            own = tuple(choice.randrange(3, vocabulary) for _ in range(length - INSTRUCTIONS))
            start = length - max(round(ANSWER * length), 1)
            result.append(TokenRow(input_ids=instructions + own, answer_start=start, truncated=False))
        return result


def measure(way: str, model: Path, rows: Rows, settings: Settings) -> float:
    """Tokens a second of one way, its first step left out."""
    from transformers import TrainerCallback

    tokens = [0]

    class Clock(TrainerCallback):  # type: ignore[misc]
        started, counted = 0.0, 0

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
            if state.global_step == 1:
                self.started, self.counted = time.perf_counter(), tokens[0]

    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        trainer = build(way, model, rows, settings, Path(folder))
        _count_tokens(trainer, tokens)
        trainer.add_callback(clock)
        trainer.train()
        seconds = time.perf_counter() - clock.started
    return (tokens[0] - clock.counted) / seconds


def build(way: str, model: Path, rows: Rows, settings: Settings, work: Path) -> Any:
    """The trainer of one way, ready to train."""
    from transformers import AutoConfig

    warming = max(settings.sft.batch_size, 8)
    chosen = rows.drawn(AutoConfig.from_pretrained(model).vocab_size, warming=warming)
    if way not in CANDIDATES:
        return own_trainer(model, chosen, settings, work)
    return _theirs(way, model, chosen, settings, work)


def _count_tokens(trainer: Any, tokens: list[int]) -> None:
    """Add up the real tokens of the batches that `trainer` takes."""
    step = trainer.training_step

    def counting(model: Any, inputs: Any, *more: Any, **named: Any) -> Any:
        tokens[0] += int(inputs["attention_mask"].sum())
        return step(model, inputs, *more, **named)

    trainer.training_step = counting


def _theirs(way: str, model: Path, chosen: Sequence[TokenRow], settings: Settings, work: Path) -> Any:
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM
    from trl import ModelConfig, SFTConfig, SFTTrainer

    from deploy.engines.chat import load_tokenizer
    from tasks.training.tuning.tokens import dataset

    config = SFTConfig(
        output_dir=str(work),
        num_train_epochs=1,
        use_cpu=True,
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
        **CANDIDATES[way],
    )
    lora = lora_of(settings)
    return SFTTrainer(
        AutoModelForCausalLM.from_pretrained(model, dtype=ModelConfig().dtype),
        args=config,
        train_dataset=dataset(chosen),
        processing_class=load_tokenizer(model),
        peft_config=LoraConfig(r=lora.rank, lora_alpha=lora.alpha, **LORA),
    )
