"""Protects the check for GPUs where there is none: a training runs, and the plan fits the memory."""

from pathlib import Path

import pytest

from benchmarks.gpu import cases as gpu_cases
from benchmarks.gpu.__main__ import measured
from benchmarks.gpu.cases import Case, expected, planned
from benchmarks.gpu.page import page
from tasks.settings import Settings, load_settings
from tests.conftest import ROOT


@pytest.fixture
def settings() -> Settings:
    """The project's, with ranks for a model of width 32."""
    found = load_settings(ROOT / "params.yaml")
    small = {"qlora": found.sft.qlora.model_copy(update={"rank": 4})}  # type: ignore[attr-defined]
    return found.model_copy(update={"sft": found.sft.model_copy(update=small)})


def test_a_random_model_is_trained_in_a_process_of_its_own(
    tiny_base: Path, tmp_path: Path, settings: Settings
) -> None:
    case = Case(model="2000000", method="lora", precision="float32", steps=1, length=64)
    told = measured(case, tiny_base, tmp_path, settings)
    assert told is not None
    assert told["tokens_per_s"] > 0
    assert told["loss_before"] > 0
    assert told["peak_mib"] is None, "no GPU's memory was measured"


def test_what_is_planned_fits_and_two_gpus_share_a_model(
    tiny_base: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu_cases, "LARGEST", (1e9, 1e8))
    memory = 6 * 2**30
    cases = list(planned(tiny_base, settings, memory=memory, gpus=2))
    assert {case.method for case in cases} == {"lora", "qlora", "full"}
    assert all(expected(case, tiny_base, settings).peak <= memory for case in cases)
    assert [case.method for case in cases if case.processes == 2] == ["lora"]


def test_the_page_has_a_line_for_each_case() -> None:
    told = {
        "model": "1000000000",
        "method": "lora",
        "precision": "bfloat16",
        "processes": 1,
        "steps": 10,
        "parameters": 1_000_000_000,
        "tokens_per_s": 9000,
        "peak_mib": 1000,
        "estimated_mib": 1100,
        "loss_before": 11.0,
        "loss": 10.5,
    }
    text = page([told], device="1 x GPU", steps=10)
    assert (
        "| random | 1,000,000,000 | `lora` | bfloat16 | 1 | 9,000 | 1,000 | 1,100 | 1.10 | 11.00 to 10.50 |"
        in text
    )
