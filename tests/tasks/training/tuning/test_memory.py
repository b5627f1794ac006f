"""Protects that fine-tuning tells its memory, and refuses a model that cannot fit before it loads it."""

import json
import shutil
from pathlib import Path

import pytest

from tasks.errors import TrainingError
from tasks.rows.records import Example
from tasks.settings import Settings
from tasks.training.trained import Trained
from tasks.training.tuning.tuning import fine_tune
from tests.deploy.knowledge.listed import reader


def tune(settings: Settings, examples: list[Example], base: Path, work: Path) -> Trained:
    few = settings.sft.model_copy(update={"max_rows": 4, "validation_rows": 1, "checkpoints": 1})
    return fine_tune(examples[:8], [], reader([]), base, work=work, run=settings.run, settings=few)


def test_the_estimate_stands_in_the_report(
    settings: Settings, examples: list[Example], tiny_base: Path, tmp_path: Path
) -> None:
    expected = tune(settings, examples, tiny_base, tmp_path).report.figures["estimated_peak_mib"]
    assert 500 < expected < 2000  # the libraries, and next to nothing


def test_a_model_that_cannot_fit_is_refused_unread(
    settings: Settings, examples: list[Example], tiny_base: Path, tmp_path: Path
) -> None:
    huge = tmp_path / "huge"
    shutil.copytree(tiny_base, huge, ignore=shutil.ignore_patterns("*.safetensors"))
    config = json.loads((huge / "config.json").read_text(encoding="utf-8"))
    config |= {"hidden_size": 65_536, "intermediate_size": 262_144, "head_dim": 16_384}
    (huge / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(TrainingError, match=r"needs about .* MiB .* are there\. What would fit: no smaller"):
        tune(settings, examples, huge, tmp_path)
