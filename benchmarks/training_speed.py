"""How fast the stage `sft` trains, against TRL's SFTTrainer on the same rows, in turn.

    python -m benchmarks.training_speed [--model data/models/base] [--rounds 3] [--rows 24]

`ours` is the stage's trainer in a stage's environment, on the layers of params.yaml; `ours_all` adapts all
layers, as the others do. `plain` is SFTTrainer in float32 without gradient checkpointing, `bare` is
SFTTrainer as it comes. Each measurement is a process of its own, whose first step is not counted. Prints a
table; the last line is one JSON object, whose ratio is the median of ours / bare over the rounds.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tasks.params import load_settings
from tasks.process import environment
from tasks.settings import Settings
from tasks.sft.rows import TokenRow

WAYS = ("ours", "ours_all", "plain", "bare")
PROMPT, ANSWER = 200, 10  # tokens of a row of the default source, on average
INSTRUCTIONS = 58  # tokens that every prompt begins with


def main() -> int:
    """Measure every way in turn, `rounds` times."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.training_speed", description=__doc__)
    words.add_argument("--model", type=Path, default=Path("data/models/base"))
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument(
        "--rows", type=int, default=24, help="rows a measurement, besides one batch to warm up"
    )
    words.add_argument("--way", choices=WAYS, help="measure one way in this process")
    given = words.parse_args()
    settings = load_settings(Path("params.yaml"))
    if given.way:
        print(json.dumps(measure(given.way, given.model, given.rows, settings)))
        return 0
    if not given.model.is_dir():
        print(f"{given.model} is not there yet: run `python -m dvc repro base` first", file=sys.stderr)
        print("{}")
        return 0
    speeds: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(given.rounds):
        for way in WAYS:
            speeds[way].append(_apart(way, given.model, given.rows, settings))
    medians = {way: statistics.median(values) for way, values in speeds.items()}
    ratios = [ours / bare for ours, bare in zip(speeds["ours"], speeds["bare"], strict=True)]
    for way, median in medians.items():
        print(f"{way:<9} {median:>8.1f} tokens/s   {'  '.join(f'{value:.0f}' for value in speeds[way])}")
    told = {"tokens_per_s": {way: round(value, 1) for way, value in medians.items()}}
    print(json.dumps({**told, "ratio": round(statistics.median(ratios), 2), "rounds": given.rounds}))
    return 0


def rows(count: int, vocabulary: int) -> list[TokenRow]:
    """Random rows that begin alike, with lengths as the default source has them; the same at each call."""
    drawn = random.Random(0)
    instructions = tuple(drawn.randrange(3, vocabulary) for _ in range(INSTRUCTIONS))
    result: list[TokenRow] = []
    for _ in range(count):
        prompt = round(min(max(drawn.gauss(PROMPT, PROMPT / 6), PROMPT / 2), PROMPT * 1.5))
        own = tuple(drawn.randrange(3, vocabulary) for _ in range(prompt + ANSWER - INSTRUCTIONS))
        result.append(TokenRow(input_ids=instructions + own, answer_start=prompt, truncated=False))
    return result


def measure(way: str, model: Path, count: int, settings: Settings) -> float:
    """Tokens a second of one way, its first step left out."""
    from transformers import AutoConfig, TrainerCallback

    chosen = rows(count + settings.sft.batch_size, AutoConfig.from_pretrained(model).vocab_size)

    class Clock(TrainerCallback):  # type: ignore[misc]
        started = 0.0

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
            if state.global_step == 1:
                self.started = time.perf_counter()

    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        build: Callable[..., tuple[Any, Sequence[TokenRow]]] = _ours if way.startswith("ours") else _theirs
        trainer, counted = build(way, model, chosen, settings, Path(folder))
        trainer.add_callback(clock)
        trainer.train()
        seconds = time.perf_counter() - clock.started
    return sum(len(row.input_ids) for row in counted) / seconds


def _ours(
    way: str, model: Path, chosen: Sequence[TokenRow], settings: Settings, work: Path
) -> tuple[Any, Sequence[TokenRow]]:
    from deploy.engines.chat import load_tokenizer
    from tasks.adapters import load_base
    from tasks.device import set_up_torch
    from tasks.fused_llama import streamline
    from tasks.fused_lora import fuse
    from tasks.methods import METHODS
    from tasks.methods.method import Material
    from tasks.schedule import schedule
    from tasks.sft.trainer import sft_trainer

    sft = settings.sft
    chosen_settings = sft.chosen
    if way != "ours":
        chosen_settings = chosen_settings.model_copy(update={"trained_layers": None})
    device = set_up_torch(settings.run)
    tokenizer = load_tokenizer(model)
    adapted = METHODS[sft.method].attach(
        load_base(model, device), chosen_settings, Material(tokenizer=tokenizer, rows=())
    )
    fuse(adapted.model)
    streamlined = streamline(adapted.model)
    plan = schedule(
        [len(row.input_ids) for row in chosen],
        batch_size=sft.batch_size,
        seed=settings.run.seed,
        by_length=not streamlined,  # as the stage does
    )
    trainer = sft_trainer(
        adapted,
        tokenizer,
        chosen,
        [],
        plan=plan,
        settings=sft.model_copy(update={"checkpoints": 1}),
        run=settings.run,
        device=device,
        work=work,
        shares_prefix=streamlined > 0,
    )
    return trainer, [chosen[row] for row in plan.order[sft.batch_size :]]


def _theirs(
    way: str, model: Path, chosen: Sequence[TokenRow], settings: Settings, work: Path
) -> tuple[Any, Sequence[TokenRow]]:
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM
    from trl import SFTConfig, SFTTrainer

    from deploy.engines.chat import load_tokenizer
    from tasks.sft.rows import dataset

    sft = settings.sft
    options: dict[str, Any] = {
        "bf16": False,
        "activation_checkpointing": False,
        "gradient_checkpointing": None,
    }
    config = SFTConfig(
        output_dir=str(work),
        per_device_train_batch_size=sft.batch_size,
        num_train_epochs=1,
        use_cpu=True,
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
        train_sampling_strategy="sequential",  # which batch warms up must be known
        **(options if way == "plain" else {}),
    )
    trainer = SFTTrainer(
        AutoModelForCausalLM.from_pretrained(model, dtype="float32" if way == "plain" else "auto"),
        args=config,
        train_dataset=dataset(chosen),
        processing_class=load_tokenizer(model),
        peft_config=LoraConfig(r=sft.lora.rank, lora_alpha=sft.lora.alpha, target_modules="all-linear"),
    )
    return trainer, chosen[sft.batch_size :]


def _apart(way: str, model: Path, count: int, settings: Settings) -> float:
    """One measurement in a process of its own; ours runs under the environment that stages run under."""
    words = ["--way", way, "--model", str(model), "--rows", str(count)]
    own = environment(settings.run.threads) if way.startswith("ours") else {}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.training_speed", *words],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, **own},
    )
    return float(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    raise SystemExit(main())
