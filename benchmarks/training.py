"""How fast the stage `sft` trains: against TRL's SFTTrainer on the same rows, and against the machine.

    python -m benchmarks.training [--model data/models/base] [--rounds 3] [--rows 24] [--lengths 128 512]

`ours` is the stage's trainer in a stage's environment, as params.yaml has it. `defaults` is SFTTrainer with
the defaults of its command line, `best` the fastest of its settings that were tried before (`CANDIDATES`),
both with a LoRA of the same size on the same layers. The three take turns, each measurement is a process of
its own, and the first step is not counted. The matrix rate is that of the machine's products on the shapes
of this model; its share is what the arithmetic that `ours` really does reaches of it. Prints a table; the
last line is one JSON object with the medians of the ratios over the rounds.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.training_ways import CANDIDATES, Rows, measure
from tasks.machine.process import environment
from tasks.settings import Settings, load_settings


def main() -> int:
    """Measure every way in turn, `rounds` times."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__)
    words.add_argument("--model", type=Path, default=Path("data/models/base"))
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--rows", type=int, default=24, help="rows a measurement, besides a batch to warm up")
    words.add_argument("--lengths", type=int, nargs=2, default=(128, 512), help="tokens of the rows, from to")
    words.add_argument("--way", help="measure one way in this process")
    given = words.parse_args()
    settings = load_settings(Path("params.yaml"))
    chosen = Rows(count=given.rows, shortest=given.lengths[0], longest=given.lengths[1])
    if given.way:
        print(json.dumps(_told(given.way, given.model, chosen, settings)))
        return 0
    if not given.model.is_dir():
        print(f"{given.model} is not there yet: run `python -m dvc repro base` first", file=sys.stderr)
        print("{}")
        return 0
    others = [name for name in CANDIDATES if name != "defaults"]
    tried = {name: _apart(name, given.model, chosen, settings)["tokens_per_s"] for name in others}
    best = max(tried, key=lambda name: tried[name])
    ways = {"ours": "ours", "defaults": "defaults", "best": best}
    speeds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(given.rounds):
        for way, name in ways.items():
            speeds[way].append(_apart(name, given.model, chosen, settings)["tokens_per_s"])
    work = _apart("flops", given.model, chosen, settings)
    rates = _apart("rates", given.model, chosen, settings)
    medians = {way: statistics.median(values) for way, values in speeds.items()}
    for way, name in ways.items():
        each = "  ".join(f"{value:.0f}" for value in speeds[way])
        print(f"{way:<9} {medians[way]:>8.1f} tokens/s   {each}   ({name})")
    reached = medians["ours"] * work["flops_per_token"] / 1e9
    for precision, rate in rates.items():
        print(f"products in {precision}: {rate:.0f} GFLOP/s on the shapes of this model")
    print(f"ours: {work['flops_per_token'] / 1e9:.2f} GFLOP a token, {reached:.0f} GFLOP/s")
    result = {
        "ratio_defaults": _ratio(speeds, "defaults"),
        "ratio_best": _ratio(speeds, "best"),
        "roofline_share": round(reached / max(rates.values()), 3),
        "tokens_per_s": {way: round(value, 1) for way, value in medians.items()},
        "gflop_per_token": round(work["flops_per_token"] / 1e9, 3),
        "matrix_gflops": {precision: round(rate) for precision, rate in rates.items()},
        "best": best,
        "tried": {name: round(value, 1) for name, value in tried.items()},
        "rounds": given.rounds,
        "lengths": list(given.lengths),
    }
    print(json.dumps(result))
    return 0


def _ratio(speeds: dict[str, list[float]], other: str) -> float:
    ratios = [ours / theirs for ours, theirs in zip(speeds["ours"], speeds[other], strict=True)]
    return round(statistics.median(ratios), 2)


def _told(way: str, model: Path, rows: Rows, settings: Settings) -> dict[str, float]:
    """What is measured in this process alone."""
    from benchmarks.roofline import flops_per_token, matrix_rates, shapes_of

    if way == "rates":
        tokens = settings.sft.batch_size * (rows.shortest + rows.longest) // 2
        return matrix_rates(shapes_of(model), settings, tokens=tokens)
    if way == "flops":
        return {"flops_per_token": flops_per_token(model, rows, settings)}
    return {"tokens_per_s": measure(way, model, rows, settings)}


def _apart(way: str, model: Path, rows: Rows, settings: Settings) -> dict[str, float]:
    """One measurement in a process of its own; ours runs under the environment that stages run under."""
    words = ["--way", way, "--model", str(model), "--rows", str(rows.count)]
    words += ["--lengths", str(rows.shortest), str(rows.longest)]
    own = {} if way in CANDIDATES else environment(settings.run.threads)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.training", *words],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, **own},
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {key: float(value) for key, value in found.items()}


if __name__ == "__main__":
    raise SystemExit(main())
