"""Protects the promise of the first page: one command from nothing to a released, answering bundle."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tasks.stages import STAGES

ROOT = Path(__file__).parents[2]
RUN = [sys.executable, "-m", "flows", "run", "--profile", "smoke", "--place"]


@pytest.mark.e2e
@pytest.mark.flow
@pytest.mark.timeout(1500)
def test_the_whole_chain_with_the_real_model_and_then_nothing_to_do(tmp_path: Path) -> None:
    place = tmp_path / "place"
    first = subprocess.run([*RUN, str(place)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert first.returncode == 0, first.stdout[-3000:] + first.stderr
    ledger = json.loads((place / "data/reports/ledger.json").read_text(encoding="utf-8"))
    assert set(ledger["arms"]) == {"base", "prompt", "retrieval", "sft", "rlhf", "sft_closed_book"}
    assert (place / "data/reports/index.html").exists()
    assert (place / ".threeply/releases/current/manifest.json").exists()
    assert all(f"{name}: done" in first.stdout for name in STAGES)

    started = time.monotonic()
    second = subprocess.run([*RUN, str(place)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert second.returncode == 0, second.stderr
    assert all(f"{name}: cached" in second.stdout for name in (*STAGES, "release"))
    assert time.monotonic() - started < 45  # about 10 s on an idle machine of two cores
