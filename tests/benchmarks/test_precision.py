"""Protects the figures on bfloat16: both precisions learn the same rows from the same start."""

from pathlib import Path

import pytest

from benchmarks.precision import compared, page
from tasks.settings import Settings, load_settings
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def settings() -> Settings:
    found = load_settings(ROOT / "params.yaml")
    small = {
        "lora": found.sft.lora.model_copy(update={"rank": 4, "trained_layers": None}),  # type: ignore[attr-defined]
        "prefix": found.sft.prefix.model_copy(update={"tokens": 4, "encoder_width": 16}),  # type: ignore[attr-defined]
    }
    return found.model_copy(update={"sft": found.sft.model_copy(update=small)})


@pytest.mark.parametrize("method", ["full", "lora", "prefix"])
def test_both_precisions_learn_alike(method: str, settings: Settings, tiny_base: Path) -> None:
    found = compared(tiny_base, method, settings, steps=4)
    assert found["loss_float32"] < found["loss_before"]
    assert found["loss_bfloat16"] == pytest.approx(found["loss_float32"], rel=0.02)
    assert found["cosine"] > 0.8
    assert f"| `{method}` |" in page({method: found}, steps=4)
