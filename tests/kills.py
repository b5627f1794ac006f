"""Kills training at random moments with SIGKILL, resumes it, and compares every byte with an unbroken run.

    python -m tests.kills [--kills 20] [--seed 1] [--stages sft reward rlhf]

Each run is a process that does what `python -m tasks STAGE` does, on a tiny model. Prints a line for each
kill; the last line is one JSON object. Exit 1 if a resumed run ended otherwise than the unbroken one.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.reproducible import hashes
from tasks.machine.process import environment
from tests.conftest import ROOT

INPUTS = {
    "sft": ("splits", "base", "embedder", "index", "search"),
    "reward": ("splits", "base", "embedder", "index", "whole/sft/adapter", "samples"),
    "rlhf": (
        "splits",
        "base",
        "embedder",
        "index",
        "whole/sft/adapter",
        "samples",
        "whole/reward/adapter",
        "rewards",
    ),
}
SMALL: dict[str, dict[str, Any]] = {
    "run": {"threads": 1, "precision": "float32"},
    "sft": {
        "lora": {"rank": 4, "learning_rate": 0.002}, "max_rows": 80, "counterfactuals": {}, "replay": 0.0,
        "validation_rows": 6, "epochs": 6, "validation_passes": 3, "patience": 3, "checkpoints": 12,
    },
    "reward": {
        "max_rows": 60, "counterfactuals": {}, "validation_rows": 9, "batch_size": 4, "trained_layers": 2,
        "epochs": 4, "validation_passes": 3, "patience": 3, "checkpoints": 12, "gate": False,
    },
    "rlhf": {
        "updates": 8, "algorithm": "ppo", "learns_from": "samples", "rewards": {"model": 1.0},
        "prompts": 4, "responses": 2, "redraws": 2, "counterfactuals": {}, "trained_layers": 2,
        "heldout_prompts": 4, "max_new_tokens": 6, "checkpoints": 6, "kl_limit": 1000.0,
        "learning_rate": 0.01, "keep": "always",
    },
}  # fmt: skip
TRIES = 8  # moments drawn for one kill, until one comes before the end of the run


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """One kill: when it came, the step that the next run went on from, and whether it ended the same."""

    stage: str
    after: float
    resumed_at: int
    equal: bool


def main() -> int:
    """Run each stage whole, then kill and resume it; tell what was found."""
    words = argparse.ArgumentParser(prog="python -m tests.kills", description=__doc__)
    words.add_argument("--kills", type=int, default=20, help="over all stages, in turn")
    words.add_argument("--seed", type=int, default=1, help="of the moments")
    words.add_argument("--stages", nargs="+", choices=INPUTS, default=list(INPUTS))
    given = words.parse_args()
    os.environ.update(environment(1))  # before torch is imported
    drawn = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        prepare(place)
        last = max(list(INPUTS).index(stage) for stage in given.stages)
        for stage in list(INPUTS)[: last + 1]:
            unbroken(place, stage, "whole")
        # Not taken from the first runs, which wait for what they read and import.
        spans = {stage: unbroken(place, stage, "killed") for stage in given.stages}
        kills = [
            kill(place, stage, spans[stage], drawn)
            for stage in (given.stages[turn % len(given.stages)] for turn in range(given.kills))
        ]
    counts = {stage: sum(one.stage == stage for one in kills) for stage in given.stages}
    went_on = sum(one.resumed_at > 0 for one in kills)
    equal = sum(one.equal for one in kills)
    print(json.dumps({"kills": len(kills), "equal": equal, "resumed_midway": went_on, "stages": counts}))
    return 0 if equal == len(kills) else 1


def prepare(place: Path) -> None:
    """A tiny model, an index, rows and settings in `place`; what is heavy is imported before any fork."""
    import datasets  # noqa: F401
    import peft  # noqa: F401
    import trl  # noqa: F401

    from benchmarks.models.families import write_tiny_model
    from tasks.rows.records import Example, Preference
    from tasks.rows.tables import write_table
    from tests.conftest import write_tiny_embedder, write_tiny_index
    from tests.tasks.training.conftest import example
    from tests.tasks.training.rewards.test_learning import preference

    (place / "rewards").mkdir()
    write_tiny_model(place / "base")
    write_tiny_embedder(place / "tiny").rename(place / "embedder")
    write_tiny_index(place / "index", place / "embedder", {"svm.SVC": "C=1.0 : float"})
    for split, rows in (("train", range(96)), ("validation", range(96, 108)), ("test", range(108, 114))):
        write_table(place / "splits" / split / "examples.parquet", Example, [example(n) for n in rows])
        write_table(
            place / "splits" / split / "preferences.parquet", Preference, [preference(n) for n in rows]
        )
        write_table(place / "samples" / split / "preferences.parquet", Preference, [])
    settings = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    for section, values in SMALL.items():
        settings[section] |= values
    (place / "params.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")


def unbroken(place: Path, stage: str, folder: str) -> tuple[float, float]:
    """Run a stage to its end into `folder`; after how many seconds its first state was kept, and it ended."""
    forget(place)
    started = time.monotonic()
    process = start(place, stage, folder)
    log = place / folder / f"{stage}.log"
    began = 0.0
    while process.is_alive():
        if not began and any((place / ".threeply").rglob("*.safetensors")):
            began = time.monotonic() - started
        process.join(0.02)
    if process.exitcode:
        raise SystemExit(f"{stage} failed before any kill:\n{log.read_text(encoding='utf-8')}")
    return began, time.monotonic() - started


def kill(place: Path, stage: str, span: tuple[float, float], drawn: random.Random) -> Kill:
    """Kill a run of `stage` at a random moment of its training, and let another one end it."""
    began, ended = span
    moment = 0.0
    for _ in range(TRIES):
        forget(place)
        moment = drawn.uniform(began, ended)
        started = time.monotonic()
        process = start(place, stage, "killed")
        process.join(moment)
        lived = time.monotonic() - started
        process.kill()
        process.join()
        if process.exitcode == -signal.SIGKILL:
            break
        if process.exitcode:
            log = place / "killed" / f"{stage}.log"
            raise SystemExit(f"{stage} failed before it could be killed:\n{log.read_text(encoding='utf-8')}")
        # It had ended: the machine is faster now.
        began, ended = began * lived / ended, lived
    else:
        raise SystemExit(f"{stage} ended {TRIES} times before it could be killed")
    process = start(place, stage, "killed")
    process.join()
    said = (place / "killed" / f"{stage}.log").read_text(encoding="utf-8")
    found = re.search(r"going on from \w+ (\d+)", said)
    resumed_at = int(found.group(1)) if found else 0
    equal = process.exitcode == 0 and hashes(place / "killed" / stage) == hashes(place / "whole" / stage)
    verdict = "equal" if equal else "DIFFERS"
    print(f"{stage:<6} killed after {moment:5.2f} s, went on from {resumed_at:>3}: {verdict}", flush=True)
    if not equal:
        print(said)
    return Kill(stage=stage, after=moment, resumed_at=resumed_at, equal=equal)


def start(place: Path, stage: str, folder: str) -> Any:
    """A process that runs `stage` in `place`, its output in a log."""
    process = multiprocessing.get_context("fork").Process(target=run, args=(place, stage, folder))
    process.start()
    return process


def run(place: Path, stage: str, folder: str) -> None:
    """What `python -m tasks STAGE` does."""
    from tasks.command import main as command

    os.chdir(place)
    out = Path(folder) / stage
    out.mkdir(parents=True, exist_ok=True)
    words = ["--params", "params.yaml", stage, *INPUTS[stage], "--prompts", "prompts"]
    for name, file in (("adapter", "adapter"), ("curve", "curve.csv"), ("report", "report.json")):
        words += [f"--{name}", str(out / file)]
    with (Path(folder) / f"{stage}.log").open("w", buffering=1) as log, contextlib.redirect_stdout(log):
        sys.exit(command(words))


def forget(place: Path) -> None:
    """Remove what an earlier run and its kill have left."""
    for left in ("killed", ".threeply"):
        shutil.rmtree(place / left, ignore_errors=True)


if __name__ == "__main__":
    raise SystemExit(main())
