"""What the machine's matrix products reach on the shapes of a model, and what training asks of them.

    python -m benchmarks.roofline [--model data/models/base]

Prints GFLOP/s in each precision, as the machine is while this runs: another process that works beside it
takes its part. Without a model the shapes are those of the default base, so that two machines compare. The
last line is one JSON object.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.training_ways import Rows, build
from tasks.machine.process import cores, environment
from tasks.settings import Settings, load_settings

Shape = tuple[int, int]  # outputs, inputs
BASE = Path("data/models/base")
STANDARD: tuple[Shape, ...] = (  # a layer of SmolLM2-135M: q, k, v, o, gate, up, down
    *((576, 576), (192, 576), (192, 576), (576, 576)),
    *((1536, 576), (1536, 576), (576, 1536)),
)
TOKENS = 1280  # states at once: the batch of `benchmarks.training`, whatever params.yaml has
SECONDS = 1.0  # how long each precision is measured; one pass at least


def main() -> int:
    """Print the rates on the shapes of a model, or on standard ones where it is not there."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.roofline", description=__doc__)
    words.add_argument("--model", type=Path, default=BASE)
    given = words.parse_args()
    rates = matrix_rates(shapes_of(given.model), load_settings(Path("params.yaml")), tokens=TOKENS)
    print(rates_line(rates))
    print(json.dumps({name: round(rate, 1) for name, rate in rates.items()}))
    return 0


def rates_now(model: Path = BASE) -> dict[str, float]:
    """What `python -m benchmarks.roofline` finds, in a process that runs under the environment of stages."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.roofline", "--model", str(model)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, **environment(load_settings(Path("params.yaml")).run.threads)},
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def rates_line(rates: Mapping[str, float]) -> str:
    """The rates in words; they are those of the machine now, and it may have been busier or idler before."""
    told = ", ".join(f"{rate:,.0f} GFLOP/s in {name}" for name, rate in rates.items())
    return f"matrix products now: {told}, on {cores()} cores"


def shapes_of(model: Path) -> tuple[Shape, ...]:
    """The weights of the first layer of the model in a folder, as its files say; else `STANDARD`."""
    from safetensors import safe_open

    found: list[Shape] = []
    for path in sorted(model.glob("*.safetensors")):
        with safe_open(path, framework="numpy") as file:
            shapes = [file.get_slice(name).get_shape() for name in file.keys() if ".layers.0." in name]  # noqa: SIM118
        found += [(shape[0], shape[1]) for shape in shapes if len(shape) == 2]
    return tuple(found) or STANDARD


def matrix_rates(shapes: Sequence[Shape], settings: Settings, *, tokens: int) -> dict[str, float]:
    """GFLOP/s of the products of `tokens` states with a weight of each shape, for each precision."""
    import torch

    from tasks.machine.device import set_up_torch

    device = set_up_torch(settings.run)
    work = sum(2.0 * tokens * outputs * inputs for outputs, inputs in shapes)
    rates: dict[str, float] = {}
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        pairs = [
            tuple(torch.randn(size, inputs, device=device.name).to(dtype) for size in (tokens, outputs))
            for outputs, inputs in shapes
        ]
        passes: list[float] = []
        while not passes or sum(passes) < SECONDS:
            started = time.perf_counter()
            for states, weight in pairs:
                torch.nn.functional.linear(states, weight)
            if device.name == "cuda":
                torch.cuda.synchronize()
            passes.append(time.perf_counter() - started)
        rates[name] = work / statistics.median(passes[1:] or passes) / 1e9  # the first one warms up
    return rates


def flops_per_token(model: Path, rows: Rows, settings: Settings) -> float:
    """The arithmetic of products and attention that a training of `rows` does for each of their tokens.

    Counted while it runs, so what is computed once for several rows counts once.
    """
    from torch.utils.flop_counter import FlopCounterMode

    with tempfile.TemporaryDirectory() as folder:
        trainer = build("ours", model, rows, settings, Path(folder))
        total = sum(len(row["input_ids"]) for row in trainer.train_dataset)
        counter = FlopCounterMode(display=False)
        with counter:
            trainer.train()
    return float(counter.get_total_flops()) / total


if __name__ == "__main__":
    raise SystemExit(main())
