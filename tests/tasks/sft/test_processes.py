"""Protects training in several processes, with copies and with parts of the weights: as in one process."""

import os
import runpy
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from deploy.adapters.reading import adapter_files
from tasks.command import run_stage
from tasks.errors import TrainingError
from tasks.methods import METHODS
from tasks.records import Example
from tasks.settings import Settings
from tasks.stages import load_stage
from tasks.tables import write_table
from tasks.training import arguments

SCRIPT = Path(__file__).with_name("tune.py")
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
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
CUT = ("full", "lora")  # the cases that are cut short as well


def in_two(rows: Path, held_out: Path, base: Path, folder: Path, files: Iterable[Path]) -> None:
    """Run the script in two processes."""
    done = subprocess.run(
        [*TORCHRUN, str(SCRIPT), *map(str, (rows, held_out, base, folder, *files))],
        env={**os.environ, "PYTHONPATH": str(SCRIPT.parents[3])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def alone(rows: Path, held_out: Path, base: Path, work: Path, settings: Settings) -> Any:
    """Fine-tune in this process."""
    return runpy.run_path(str(SCRIPT))["tune"](rows, held_out, base, work, settings)


def losses(curve: str) -> list[list[float]]:
    """What each step was trained on and how it went."""
    return [[float(value) for value in line.split(",") if value] for line in curve.splitlines()[1:]]


def changed(settings: Settings, **values: Any) -> Settings:
    return settings.model_copy(update={"sft": settings.sft.model_copy(update=values)})


def written(settings: Settings, path: Path) -> Path:
    path.write_text(settings.model_dump_json(by_alias=True), encoding="utf-8")
    return path


def assert_close(one: Path, other: Path) -> None:
    from safetensors.torch import load_file

    assert adapter_files(other) == adapter_files(one)
    for file in (file for file in adapter_files(one) if file.endswith(".safetensors")):
        found, expected = load_file(other / file), load_file(one / file)
        assert found.keys() == expected.keys()
        for name, tensor in expected.items():
            assert (found[name] - tensor).abs().max() < 1e-3, name


@pytest.fixture(scope="module")
def tables(examples: list[Example], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The rows to train on and those held out, as tables."""
    folder = tmp_path_factory.mktemp("tables")
    write_table(folder / "rows", Example, examples[:42])
    write_table(folder / "held_out", Example, examples[42:])
    return folder / "rows", folder / "held_out"


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
    for one, other in zip(losses(whole.curve), losses(shared), strict=True):
        assert other == pytest.approx(one, abs=2e-5)
    assert_close(whole.adapter, tmp_path / "two")


def spread(settings: Settings, case: str) -> Settings:
    """The settings of a case, with the weights spread; the last of its steps is short."""
    name, values = SPREAD[case]
    chosen = METHODS[name].settings(**{"learning_rate": 0.003, **values})
    return changed(settings, method=name, max_rows=30, accumulation=2, sharded=True, **{name: chosen})


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
    curve = (spread_out / case).with_suffix(".csv").read_text(encoding="utf-8")
    for one, other in zip(losses(whole.curve), losses(curve), strict=True):
        assert other == pytest.approx(one, abs=2e-5)
    assert_close(whole.adapter, spread_out / case)


@pytest.mark.parametrize("case", CUT)
def test_a_spread_run_that_is_cut_short_ends_with_the_same_bytes(case: str, spread_out: Path) -> None:
    whole, resumed = spread_out / case, spread_out / f"cut-{case}"
    assert whole.with_suffix(".csv").read_bytes() == resumed.with_suffix(".csv").read_bytes()
    for file in adapter_files(whole):
        assert (resumed / file).read_bytes() == (whole / file).read_bytes(), file


def test_what_several_processes_cannot_do_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    import argparse

    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(TrainingError, match=r"reward runs in one process, and torchrun has started 3"):
        run_stage(load_stage("reward"), argparse.Namespace(), {})
    with pytest.raises(TrainingError, match=r"batch_size 4 cannot be shared out evenly among 3 processes"):
        arguments(None, batch_size=4, run=settings.run, device=None, work=Path())  # type: ignore[arg-type]
