"""Protects the measure of parity: what is loaded as training holds it is what was trained."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tasks.machine.device import set_up_torch
from tasks.methods.method import Adapted
from tasks.methods.parts.loading import load_trained
from tasks.settings import load_settings
from tests.conftest import ROOT
from tests.tasks.methods.conftest import CASES, logits, rows

Tuned = Callable[[str], tuple[Adapted, Path, list[float]]]


@pytest.mark.parametrize("case", CASES)
def test_what_is_loaded_is_what_was_trained(case: str, tuned: Tuned, tiny_base: Path) -> None:
    adapted, folder, _ = tuned(case)
    run = load_settings(ROOT / "params.yaml").run.model_copy(update={"precision": "float32", "threads": 1})
    read = load_trained(tiny_base, folder, set_up_torch(run))
    with torch.no_grad():
        torch.testing.assert_close(read(rows()), logits(adapted, rows()), atol=2e-4, rtol=1e-3)
