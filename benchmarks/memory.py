"""How near the estimates of peak memory are: each method trains for two steps in a process of its own.

    python -m benchmarks.memory [--model data/models/base] [--methods lora full] [--rows 8] [--length 640]
    python -m benchmarks.memory --told earlier.log another.log   # writes docs/memory.md of them

With the settings of params.yaml, under a stage's environment, on random rows that all have the full length
and nothing in common. Prints a table; the last line is one JSON object: for each method the estimate, what
was measured (MiB) and their ratio, and the largest distance of a ratio from 1.
"""

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.apart import told_by
from benchmarks.own_trainer import own_trainer
from deploy.atomic import write_text
from deploy.errors import ThreeplyError
from tasks.machine.memory import MIB, peak_mib
from tasks.machine.process import cores
from tasks.methods import METHODS
from tasks.settings import Settings, load_settings
from tasks.training.tuning.tokens import TokenRow

PAGE = Path("docs/memory.md")
ANSWER = 32  # tokens of each row that count in the loss

# Of runs of `sft`, which print their peak beside the estimate: two steps do not show it.
LONG_RUNS = (
    "**A long run takes more.** The default's fine-tuning, on a processor with matrix tiles, took 2,550 "
    "MiB after all of its 656 steps, where 1,615 had been estimated (`sft` prints both at its end), and "
    "2,180 after 90. Most of that was a cache: its batches are of many lengths, and PyTorch keeps what it"
    " has prepared for the products of each, for 1,024 of them (`LRU_CACHE_CAPACITY`, beside oneDNN's own"
    " cache). Stages and the server now keep 64 of both: 1,830 MiB after 105 steps, and no fewer rows a "
    "second. A run to its end has not been measured since: leave a quarter more room than the estimate "
    "says."
)


def main() -> int:
    """Measure every method that is asked for."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    words.add_argument("--model", type=Path, default=Path("data/models/base"))
    words.add_argument("--methods", nargs="+", metavar="NAME", help="without it, every one")
    words.add_argument("--rows", type=int, help="rows in all; without it, those of two steps")
    words.add_argument("--length", type=int, help="tokens of each; without it, sft.max_length")
    words.add_argument("--checkpointing", action="store_true", help="with sft.gradient_checkpointing")
    words.add_argument("--one", action="store_true", help="measure in this process")
    words.add_argument("--told", nargs="+", type=Path, metavar="LOG", help="measure nothing; write the page")
    given = words.parse_args()
    settings = load_settings(Path("params.yaml"))
    if given.told:
        runs = [json.loads(log.read_text(encoding="utf-8").splitlines()[-1]) for log in given.told]
        write_text(PAGE, page(runs, settings))
        print(json.dumps({"page": str(PAGE), "methods": sum(len(run["methods"]) for run in runs)}))
        return 0
    if not given.model.is_dir():
        print(f"{given.model} is not there yet: run `python -m dvc repro base` first", file=sys.stderr)
        print("{}")
        return 0
    methods: list[str] = given.methods or list(METHODS)
    length: int = given.length or settings.sft.max_length
    rows: int = given.rows or 2 * settings.sft.batch_size * settings.sft.accumulation
    if given.one:
        changed = {"method": methods[0], "gradient_checkpointing": given.checkpointing, "max_length": length}
        chosen = settings.model_copy(update={"sft": settings.sft.model_copy(update=changed)})
        try:
            print(json.dumps(measure(given.model, chosen, rows)))
        except ThreeplyError as error:
            print(error, file=sys.stderr)
            return 1
        return 0
    found: dict[str, dict[str, float]] = {}
    print(f"{'method':<12} {'learn':>12} {'estimated':>10} {'measured':>10} {'ratio':>6}")
    for method in methods:
        extra = ["--checkpointing"] if given.checkpointing else []
        words_of_child = ["--methods", method, "--model", str(given.model), "--one", *extra]
        told: dict[str, float] | None = told_by(
            "benchmarks.memory", [*words_of_child, "--rows", str(rows), "--length", str(length)], settings
        )
        if told is None:
            print(f"{method:<12} could not be measured", flush=True)
            continue
        found[method] = told
        print(
            f"{method:<12} {told['trainable']:>12,.0f} {told['estimated_mib']:>10,.0f} "
            f"{told['measured_mib']:>10,.0f} {told['ratio']:>6.2f}",
            flush=True,
        )
    worst = max((abs(told["ratio"] - 1.0) for told in found.values()), default=None)
    print(
        json.dumps({"methods": found, "length": length, "worst": None if worst is None else round(worst, 3)})
    )
    return 0


def page(runs: Sequence[Mapping[str, Any]], settings: Settings) -> str:
    """The page as Markdown; all `runs` measured rows of one length."""
    [length] = {int(run["length"]) for run in runs}
    found = {name: told for run in runs for name, told in run["methods"].items()}
    worst = max(abs(told["ratio"] - 1.0) for told in found.values())
    batch = f"{settings.sft.batch_size} rows of {length} tokens in a batch"
    lines = [
        "# Memory, estimated and measured",
        "",
        "Before a training starts, its peak memory is estimated, and a run that cannot fit is refused with "
        "what would ([how](advise.md#memory-and-time)). Here is the estimate beside the peak of a process "
        f"that did it: the base of params.yaml on {cores()} cores, {batch}, two steps, loading and writing.",
        "",
        "| method | weights that learn | estimated MiB | measured MiB | ratio |",
        "|---|--:|--:|--:|--:|",
        *(_line(name, found[name]) for name in METHODS if name in found),
        "",
        f"The largest distance of a ratio from 1 is {worst:.2f}. Written by "
        "`python -m benchmarks.memory --told LOG...` from what the same command has printed.",
        "",
        LONG_RUNS,
    ]
    return "\n".join(lines) + "\n"


def _line(name: str, told: Mapping[str, float]) -> str:
    figures = f"{told['trainable']:,.0f} | {told['estimated_mib']:,.0f} | {told['measured_mib']:,.0f}"
    return f"| `{name}` | {figures} | {told['ratio']:.2f} |"


def measure(model: Path, settings: Settings, count: int) -> dict[str, float]:
    """The estimate for a method, and the peak of this process after it has trained and written."""
    from transformers import AutoConfig

    from tasks.machine.device import set_up_torch
    from tasks.training.memory.batch import Load
    from tasks.training.memory.estimate import estimate
    from tasks.training.memory.shape import shape_in

    sft = settings.sft
    drawn = random.Random(0)
    vocabulary = AutoConfig.from_pretrained(model).vocab_size
    rows = [
        TokenRow(
            input_ids=tuple(drawn.randrange(3, vocabulary) for _ in range(sft.max_length)),
            answer_start=sft.max_length - min(ANSWER, sft.max_length // 2),
            truncated=False,
        )
        for _ in range(count)
    ]
    device = set_up_torch(settings.run)
    batch = rows[: sft.batch_size]
    load = Load.full(rows=len(batch), length=sft.max_length, answers=sum(row.answer_tokens for row in batch))
    expected = estimate(shape_in(model), sft, load, device=device.name, precision=device.precision)
    with tempfile.TemporaryDirectory() as folder:
        trainer = own_trainer(model, rows, settings, Path(folder))
        trainer.train()
        trainer.adapted.write(Path(folder) / "written")
    if device.name == "cuda":
        import torch

        peak = torch.cuda.max_memory_reserved() / MIB
    else:
        peak = peak_mib()
    return {
        "estimated_mib": expected.mib,
        "measured_mib": round(peak),
        "ratio": round(expected.mib / peak, 3),
        "trainable": expected.trainable,
    }


if __name__ == "__main__":
    raise SystemExit(main())
