"""What the machine's matrix products reach on the shapes of a model, and what training asks of them."""

import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.training_ways import Rows, build
from tasks.settings import Settings

REPEATS = 7


def matrix_rates(model: Path, settings: Settings, *, tokens: int) -> dict[str, float]:
    """GFLOP/s of the products of `tokens` states with every weight of a layer, for each precision."""
    import torch

    from tasks.machine.device import set_up_torch
    from tasks.methods.parts.base_model import load_base
    from tasks.methods.parts.targets import linear_modules

    device = set_up_torch(settings.run)
    modules = linear_modules(load_base(model, device))
    shapes = [tuple(module.weight.shape) for name, module in modules.items() if ".layers.0." in f".{name}"]
    rates: dict[str, float] = {}
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        seconds = work = 0.0
        for out_features, in_features in shapes:
            states = torch.randn(tokens, in_features, device=device.name).to(dtype)
            weight = torch.randn(out_features, in_features, device=device.name).to(dtype)
            taken: list[float] = []
            for _ in range(REPEATS):
                started = time.perf_counter()
                for _ in range(4):
                    torch.nn.functional.linear(states, weight)
                if device.name == "cuda":
                    torch.cuda.synchronize()
                taken.append((time.perf_counter() - started) / 4)
            seconds += statistics.median(taken)
            work += 2.0 * tokens * in_features * out_features
        rates[name] = work / seconds / 1e9
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
