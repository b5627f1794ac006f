"""Protects the measure of parity: what is loaded as training holds it is what was trained."""

from pathlib import Path

import pytest
import torch

from tasks.machine.device import set_up_torch
from tasks.methods.parts.loading import load_trained
from tests.conftest import small_settings
from tests.tasks.methods.conftest import CASES, Tuned, logits, rows


@pytest.mark.parametrize("case", CASES)
def test_what_is_loaded_is_what_was_trained(case: str, tuned: Tuned, tiny_base: Path) -> None:
    adapted, folder, _ = tuned(case)
    read = load_trained(tiny_base, folder, set_up_torch(small_settings().run))
    with torch.no_grad():
        torch.testing.assert_close(read(rows()), logits(adapted, rows()), atol=2e-4, rtol=1e-3)
