"""Protects training in several processes, with copies and with parts of the weights: as in one process."""

from pathlib import Path

import pytest

from tasks.command import run_stage
from tasks.errors import TrainingError
from tasks.methods import METHODS
from tasks.settings import Settings
from tasks.stages import load_stage
from tasks.training.spread import FsdpSettings
from tasks.training.trainers import arguments
from tests.contents import hashes
from tests.tasks.training.tuning.processes import (
    SPREAD,
    alone,
    assert_trained_alike,
    changed,
    in_two,
    of_case,
    written,
)

CUT = ("full", "lora")  # the cases that are cut short as well
KEPT = ("adapter", "dora")  # those whose layers stay whole from the forward to the backward pass


def test_two_processes_have_the_losses_of_one(
    tiny_base: Path, settings: Settings, tables: tuple[Path, Path], tmp_path: Path
) -> None:
    lora = settings.sft.lora.model_copy(update={"learning_rate": 0.01})
    # The last step is short: its 6 rows are one batch of 4 and one that must be filled.
    settings = changed(settings, max_rows=38, accumulation=2, lora=lora)
    whole = alone(*tables, tiny_base, tmp_path / "one", settings)
    in_two(*tables, tiny_base, tmp_path, [written(settings, tmp_path / "two.json")])
    shared = (tmp_path / "two.csv").read_text(encoding="utf-8")
    assert len(shared.splitlines()) == len(whole.curve.splitlines()) == 1 + 5
    assert_trained_alike(whole, tmp_path / "two")


def spread(settings: Settings, case: str) -> Settings:
    """The settings of a case, with the weights spread."""
    fsdp = FsdpSettings(reshard_after_forward=case not in KEPT)
    return of_case(settings, case, sharded=True, fsdp=fsdp)


@pytest.fixture(scope="module")
def spread_out(
    tiny_base: Path,
    settings: Settings,
    tables: tuple[Path, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """What two processes have made of every case."""
    folder = tmp_path_factory.mktemp("spread")
    names = {**{case: case for case in SPREAD}, **{f"cut-{case}": case for case in CUT}}
    files = [written(spread(settings, case), folder / f"{name}.json") for name, case in names.items()]
    in_two(*tables, tiny_base, folder, files)
    return folder


def test_a_case_is_there_for_each_method_that_can_be_spread() -> None:
    able = {name for name, method in METHODS.items() if "sharding" not in method.cannot}
    assert {name for name, _ in SPREAD.values()} == able


@pytest.mark.parametrize("case", SPREAD)
def test_spread_weights_have_the_losses_of_whole_ones(
    case: str,
    spread_out: Path,
    tiny_base: Path,
    settings: Settings,
    tables: tuple[Path, Path],
    tmp_path: Path,
) -> None:
    plain = changed(spread(settings, case), sharded=False)
    whole = alone(*tables, tiny_base, tmp_path / "one", plain)
    assert_trained_alike(whole, spread_out / case)


@pytest.mark.parametrize("case", CUT)
def test_a_spread_run_that_is_cut_short_ends_with_the_same_bytes(case: str, spread_out: Path) -> None:
    whole, resumed = spread_out / case, spread_out / f"cut-{case}"
    assert whole.with_suffix(".csv").read_bytes() == resumed.with_suffix(".csv").read_bytes()
    assert hashes(resumed) == hashes(whole)


def test_what_several_processes_cannot_do_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    import argparse

    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(TrainingError, match=r"reward runs in one process, and torchrun has started 3"):
        run_stage(load_stage("reward"), argparse.Namespace(), {})
    with pytest.raises(TrainingError, match=r"batch_size 4 cannot be shared out evenly among 3 processes"):
        arguments(None, batch_size=4, warmup=0.0, run=settings.run, device=None, work=Path())  # type: ignore[arg-type]
