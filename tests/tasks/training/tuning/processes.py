"""Fine-tuning in two processes and in this one, and what to compare of them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from deploy.adapters.reading import adapter_files
from tasks.methods import METHODS
from tasks.rows.records import Example
from tasks.rows.tables import read_table
from tasks.settings import Settings
from tasks.training.trained import Trained
from tests.interpreter import python
from tests.tasks.training.tuning.tune import tune

SCRIPT = Path(__file__).with_name("tune.py")
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
# A case of each method whose training can be spread, with what is kept in other places than weights.
SPREAD: dict[str, tuple[str, dict[str, Any]]] = {
    "full": ("full", {}),
    "selective": ("selective", {"which": "norms_and_biases"}),
    "adapter": ("adapter", {"width": 8}),
    "lora": ("lora", {"rank": 4}),
    "dora": ("lora", {"rank": 4, "variant": "dora"}),
    "pissa": ("lora", {"rank": 4, "variant": "pissa"}),
    "lora_plus": ("lora", {"rank": 4, "plus_ratio": 4.0}),
    "prefix": ("prefix", {"tokens": 4, "encoder_width": 16}),
    "prompt": ("prompt", {"tokens": 4}),
    "p_tuning_v1": ("p_tuning_v1", {"tokens": 4, "encoder_width": 16}),
    "p_tuning_v2": ("p_tuning_v2", {"tokens": 4}),
    "hybrid": ("hybrid", {"rank": 4, "width": 8, "prefix": 3}),
}


def in_two(rows: Path, held_out: Path, base: Path, folder: Path, files: Iterable[Path]) -> None:
    """Run the script in two processes; where one is aborted, it says in which line."""
    python(*TORCHRUN, SCRIPT, rows, held_out, base, folder, *files, PYTHONFAULTHANDLER="1")


def alone(rows: Path, held_out: Path, base: Path, work: Path, settings: Settings) -> Trained:
    """Fine-tune in this process."""
    return tune(read_table(rows, Example), read_table(held_out, Example), base, work, settings)


def losses(curve: str) -> list[list[float]]:
    """What each step was trained on and how it went."""
    return [[float(value) for value in line.split(",") if value] for line in curve.splitlines()[1:]]


def changed(settings: Settings, **values: Any) -> Settings:
    return settings.model_copy(update={"sft": settings.sft.model_copy(update=values)})


def of_case(settings: Settings, case: str, **values: Any) -> Settings:
    """The settings of a case of SPREAD, with other values beside; the last of its steps is short."""
    name, own = SPREAD[case]
    chosen = METHODS[name].settings(**{"learning_rate": 0.003, **own})
    return changed(settings, method=name, max_rows=30, accumulation=2, **{name: chosen}, **values)


def written(settings: Settings, path: Path) -> Path:
    path.write_text(settings.model_dump_json(by_alias=True), encoding="utf-8")
    return path


def assert_trained_alike(one: Trained, other: Path) -> None:
    """The adapter in `other`, and the curve beside it, are those of `one`, up to rounding."""
    curve = other.with_suffix(".csv").read_text(encoding="utf-8")
    for expected, found in zip(losses(one.curve), losses(curve), strict=True):
        assert found == pytest.approx(expected, abs=2e-5)
    assert_close(one.adapter, other)


def assert_close(one: Path, other: Path) -> None:
    from safetensors.torch import load_file

    assert adapter_files(other) == adapter_files(one)
    for file in (file for file in adapter_files(one) if file.endswith(".safetensors")):
        found, expected = load_file(other / file), load_file(one / file)
        assert found.keys() == expected.keys()
        for name, tensor in expected.items():
            assert (found[name] - tensor).abs().max() < 1e-3, name
