"""Protects the measure of training speed: every way trains the same rows, and the arithmetic is counted."""

from pathlib import Path

import pytest

from benchmarks import roofline
from benchmarks.roofline import STANDARD, flops_per_token, matrix_rates, shapes_of
from benchmarks.training_ways import CANDIDATES, INSTRUCTIONS, Rows, measure
from tasks.methods.lora import LoraSettings
from tasks.settings import Settings
from tests.conftest import small_settings

FEW = Rows(count=10, shortest=64, longest=90)


@pytest.fixture
def settings() -> Settings:
    """The project's settings on one thread, with small batches."""
    return small_settings(sft={"batch_size": 2, "lora": LoraSettings(rank=2)})


def test_rows_are_the_same_at_each_call_begin_alike_and_keep_their_lengths() -> None:
    rows = FEW.drawn(400, warming=2)
    assert rows == FEW.drawn(400, warming=2)
    assert len(rows) == 12
    assert len({row.input_ids[:INSTRUCTIONS] for row in rows}) == 1
    assert all(64 <= len(row.input_ids) <= 90 for row in rows)


@pytest.mark.filterwarnings("ignore:`gradient_checkpointing` is deprecated:FutureWarning")  # TRL's default
@pytest.mark.parametrize("way", ["ours", "defaults", "float32, 4 rows", "bfloat16, 4 rows"])
def test_each_way_trains(way: str, tiny_base: Path, settings: Settings) -> None:
    assert way == "ours" or way in CANDIDATES
    assert measure(way, tiny_base, FEW, settings) > 0


def test_the_arithmetic_of_a_token_is_between_a_forward_and_a_full_step(
    tiny_base: Path, settings: Settings
) -> None:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tiny_base)
    weights = sum(
        part.numel() for name, part in model.named_parameters() if part.ndim == 2 and "embed" not in name
    )
    unshared = Rows(count=10, shortest=200, longest=220)
    assert 2 * weights < flops_per_token(tiny_base, unshared, settings)
    shared = flops_per_token(tiny_base, FEW, settings)
    assert shared < flops_per_token(tiny_base, unshared, settings), "what rows begin with is computed once"


def test_products_have_a_rate_in_each_precision(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roofline, "SECONDS", 0.0)  # one pass
    rates = matrix_rates(((32, 32), (64, 32)), settings, tokens=64)
    assert set(rates) == {"float32", "bfloat16"}
    assert min(rates.values()) > 0


def test_the_shapes_are_those_of_a_layer_of_the_model_and_standard_without_one(
    tiny_base: Path, tmp_path: Path
) -> None:
    small, narrow, wide, deep = (32, 32), (16, 32), (64, 32), (32, 64)
    assert sorted(shapes_of(tiny_base)) == sorted((small, narrow, narrow, small, wide, wide, deep))
    assert shapes_of(tmp_path) == STANDARD
