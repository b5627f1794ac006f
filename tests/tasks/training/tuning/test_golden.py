"""Protects the course of training: the losses of a tiny run are those that were written down.

They change where the rows, their order, the optimiser, the schedule or the arithmetic change, or where a new
torch sums otherwise. If that is meant: `RENEW_GOLDEN=1 pytest -k golden`, and the reason
in the commit.
"""

import json
import os
from pathlib import Path

import pytest
import torch

from tasks.rows.records import Example
from tasks.settings import Settings
from tests.tasks.training.tuning.processes import changed
from tests.tasks.training.tuning.tune import tune

GOLDEN = Path(__file__).with_name("golden.json")
OTHER_CPU = 2e-4  # sums differ between processors, by about 1e-6 a step; a changed order of rows by 1e-1


def test_the_losses_are_those_that_were_written_down(
    tiny_base: Path, settings: Settings, examples: list[Example], tmp_path: Path
) -> None:
    lora = settings.sft.lora.model_copy(update={"learning_rate": 0.01})
    learned = tune(examples[:42], examples[42:], tiny_base, tmp_path, changed(settings, lora=lora))
    lines = [line.split(",") for line in learned.curve.splitlines()[1:]]
    found = {
        "torch": torch.__version__,
        "loss": {step: float(loss) for step, _, loss, _ in lines},
        "validation_loss": {step: float(check) for step, _, _, check in lines if check},
    }
    if os.environ.get("RENEW_GOLDEN"):
        GOLDEN.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    for name in ("loss", "validation_loss"):
        assert found[name] == pytest.approx(golden[name], abs=OTHER_CPU), (
            f"written by torch {golden['torch']}"
        )
