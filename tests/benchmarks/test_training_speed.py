"""Protects the measure of training speed: every way trains the same rows."""

from pathlib import Path

import pytest

from benchmarks.training_speed import PROMPT, measure, rows
from tasks.params import load_settings
from tasks.settings import Settings


@pytest.fixture
def settings() -> Settings:
    """The project's settings on one thread, with small batches."""
    values = load_settings(Path(__file__).parents[2] / "params.yaml")
    run = values.run.model_copy(update={"threads": 1, "precision": "float32"})
    return values.model_copy(
        update={"run": run, "sft": values.sft.model_copy(update={"batch_size": 2, "rank": 2})}
    )


def test_rows_are_the_same_at_each_call() -> None:
    assert rows(5, 400) == rows(5, 400)
    assert abs(sum(row.answer_start for row in rows(200, 400)) / 200 - PROMPT) < 20


@pytest.mark.filterwarnings("ignore:`gradient_checkpointing` is deprecated:FutureWarning")  # TRL's default
@pytest.mark.parametrize("way", ["ours", "ours_all", "plain", "bare"])
def test_each_way_trains(way: str, tiny_base: Path, settings: Settings) -> None:
    assert measure(way, tiny_base, 4, settings) > 0
