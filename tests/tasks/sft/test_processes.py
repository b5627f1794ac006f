"""Protects training in several processes: the same losses and weights as in one."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.adapters.reading import WEIGHTS
from tasks.command import run_stage
from tasks.errors import TrainingError
from tasks.records import Example
from tasks.settings import Settings
from tasks.stages import load_stage
from tasks.tables import write_table
from tasks.training import arguments

SCRIPT = Path(__file__).with_name("tune.py")
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]


def test_two_processes_have_the_losses_of_one(
    tiny_base: Path, settings: Settings, examples: list[Example], tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    lora = settings.sft.lora.model_copy(update={"learning_rate": 0.01})
    # The last step is short: its 6 rows are one batch of 4 and one that must be filled.
    few = settings.sft.model_copy(update={"max_rows": 38, "accumulation": 2, "lora": lora})
    settings = settings.model_copy(update={"sft": few})
    rows, held_out, written = (tmp_path / name for name in ("rows", "held_out", "settings.json"))
    write_table(rows, Example, examples[:42])
    write_table(held_out, Example, examples[42:])
    written.write_text(settings.model_dump_json(by_alias=True), encoding="utf-8")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    whole = runpy.run_path(str(SCRIPT))["tune"](rows, held_out, tiny_base, tmp_path / "one", settings)

    words = [str(path) for path in (rows, held_out, tiny_base, tmp_path / "two", tmp_path / "out", written)]
    done = subprocess.run(
        [*TORCHRUN, str(SCRIPT), *words],
        env={**os.environ, "PYTHONPATH": str(SCRIPT.parents[3])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    shared = (tmp_path / "out.csv").read_text(encoding="utf-8")
    assert len(shared.splitlines()) == len(whole.curve.splitlines()) == 1 + 5
    for one, other in zip(losses(whole.curve), losses(shared), strict=True):
        assert other == pytest.approx(one, abs=2e-5)
    alone, together = load_file(whole.adapter / WEIGHTS), load_file(tmp_path / "out" / WEIGHTS)
    for name, tensor in alone.items():
        assert (together[name] - tensor).abs().max() < 1e-3, name


def losses(curve: str) -> list[list[float]]:
    """What each step was trained on and how it went."""
    return [[float(value) for value in line.split(",") if value] for line in curve.splitlines()[1:]]


def test_what_several_processes_cannot_do_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    import argparse

    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(TrainingError, match=r"reward runs in one process, and torchrun has started 3"):
        run_stage(load_stage("reward"), argparse.Namespace(), {})
    with pytest.raises(TrainingError, match=r"batch_size 4 cannot be shared out evenly among 3 processes"):
        arguments(None, batch_size=4, run=settings.run, device=None, work=Path())  # type: ignore[arg-type]
