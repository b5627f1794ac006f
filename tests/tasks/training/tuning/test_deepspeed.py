"""Protects training under DeepSpeed: its settings arrive, and the losses are those of one process.

What needs DeepSpeed runs where `make extras` has installed it.
"""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tasks.errors import TrainingError
from tasks.methods import METHODS
from tasks.settings import Settings
from tasks.training.settings import SftSettings
from tasks.training.spread import DeepSpeedSettings
from tasks.training.tuning.deepspeed import OURS, passed_on, require_deepspeed
from tests.tasks.training.tuning.processes import (
    SPREAD,
    alone,
    assert_trained_alike,
    in_two,
    of_case,
    written,
)

# Tiny weights would stay whole in stage 3.
PARTS = {"stage": 3, "stage3_param_persistence_threshold": 0}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "moments": ("lora_plus", {"stage": 1}),
    "offloaded": ("prefix", {"stage": 2, "offload_optimizer": {"device": "cpu"}}),
    **{f"parts-{case}": (case, PARTS) for case in ("full", "selective", "adapter", "lora", "dora")},
}


def under(settings: Settings, case: str, zero: dict[str, Any]) -> Settings:
    """The settings of a case of SPREAD, trained under DeepSpeed."""
    return of_case(settings, case, deepspeed=DeepSpeedSettings(zero_optimization=zero))


@pytest.fixture(scope="module")
def trained(
    tiny_base: Path,
    settings: Settings,
    tables: tuple[Path, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """What two processes have made of every case."""
    pytest.importorskip("deepspeed", reason="installed by: make extras")
    folder = tmp_path_factory.mktemp("deepspeed")
    files = [written(under(settings, *CASES[case]), folder / f"{case}.json") for case in CASES]
    in_two(*tables, tiny_base, folder, files)
    return folder


def test_a_case_is_there_for_each_method_that_stage_3_can_spread() -> None:
    able = {name for name, method in METHODS.items() if "zero3" not in method.cannot}
    assert {SPREAD[case][0] for case, zero in CASES.values() if zero is PARTS} == able


@pytest.mark.parametrize("case", CASES)
def test_two_processes_under_deepspeed_have_the_losses_of_one(
    case: str,
    trained: Path,
    tiny_base: Path,
    settings: Settings,
    tables: tuple[Path, Path],
    tmp_path: Path,
) -> None:
    whole = alone(*tables, tiny_base, tmp_path / "one", of_case(settings, CASES[case][0]))
    assert_trained_alike(whole, trained / case)
    assert not (trained / f"work-{case}" / "checkpoint").exists()  # DeepSpeed's would be pickled


def test_what_deepspeed_does_not_know_is_told_as_a_mistake_in_the_settings(
    tiny_base: Path, settings: Settings, tables: tuple[Path, Path], tmp_path: Path
) -> None:
    pytest.importorskip("deepspeed", reason="installed by: make extras")
    wrong = under(settings, "lora", {"stage": 2, "offload_optimiser": {"device": "cpu"}})
    with pytest.raises(AssertionError, match=r"sft\.deepspeed has settings .*: .*offload_optimiser"):
        in_two(*tables, tiny_base, tmp_path, [written(wrong, tmp_path / "two.json")])


def test_deepspeed_that_cannot_start_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(TrainingError, match="make extras"):
        require_deepspeed()
    monkeypatch.setattr("importlib.util.find_spec", lambda _: object())
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with pytest.raises(TrainingError, match="torchrun"):
        require_deepspeed()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"deepspeed": {"zero_optimisation": {"stage": 2}}}, "zero_optimisation"),
        ({"deepspeed": {"optimizer": {"type": "Adam"}}}, "optimizer"),
        ({"deepspeed": {"wandb": {"enabled": True}}}, "wandb"),
        ({"deepspeed": {"zero_optimization": {"stage": 4}}}, "stage is 4"),
        ({"deepspeed": {}, "sharded": True}, "set one of them"),
    ],
)
def test_settings_of_deepspeed_that_are_none_are_refused(
    values: dict[str, Any], words: str, settings: Settings
) -> None:
    with pytest.raises(ValidationError, match=words):
        SftSettings.model_validate({**settings.sft.model_dump(), **values})


def test_deepspeed_is_given_what_was_set_and_nothing_else() -> None:
    given = DeepSpeedSettings(zero_optimization={"stage": 2}, steps_per_print=10)
    assert passed_on(given) == {
        **OURS,
        "zero_optimization": {"stage": 2},
        "steps_per_print": 10,
        "zero_allow_untested_optimizer": True,
        "zero_force_ds_cpu_optimizer": False,
    }
