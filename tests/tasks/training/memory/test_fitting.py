"""Protects that a run that cannot fit is refused before it starts, with settings that would fit."""

from pathlib import Path

import pytest

from tasks.errors import TrainingError
from tasks.machine.device import Device
from tasks.machine.memory import MIB, _cgroup_free, available
from tasks.settings import load_settings
from tasks.training.memory.batch import Load, heaviest
from tasks.training.memory.dry_step import DryStep
from tasks.training.memory.estimate import estimate
from tasks.training.memory.fitting import require_memory
from tasks.training.memory.shape import shape_in
from tasks.training.schedule import schedule
from tasks.training.settings import SftSettings
from tasks.training.spread import DeepSpeedSettings
from tasks.training.tuning.tokens import TokenRow
from tests.conftest import ROOT

CPU = Device(name="cpu", threads=1, precision="float32")
LOAD = Load.full(rows=8, length=256, answers=64)


@pytest.fixture(scope="module")
def sft() -> SftSettings:
    settings = load_settings(ROOT / "params.yaml").sft
    return settings.model_copy(update={"method": "full", "batch_size": 8, "accumulation": 1})


def peak(base: Path, sft: SftSettings, load: Load) -> int:
    return estimate(shape_in(base), sft, load, device="cpu", precision="float32").peak


def test_a_run_that_fits_goes_on_with_its_estimate(tiny_base: Path, sft: SftSettings) -> None:
    found = require_memory(tiny_base, sft, LOAD, CPU)
    assert found.peak == peak(tiny_base, sft, LOAD)
    assert found.weights + found.moments + found.step < found.peak


def test_a_run_that_cannot_fit_is_refused_with_what_would(tiny_base: Path, sft: SftSettings) -> None:
    half = sft.model_copy(update={"batch_size": 4, "accumulation": 2})
    memory = peak(tiny_base, half, Load.full(rows=4, length=256, answers=32)) + MIB // 100
    with pytest.raises(TrainingError) as refused:
        require_memory(tiny_base, sft, LOAD, CPU, memory=memory)
    said = str(refused.value)
    assert "sft.method full with 8 rows of up to 256 tokens at once needs about" in said
    assert f"{memory / MIB:,.0f} MiB of memory are there" in said
    assert "sft.batch_size: 4 with sft.accumulation: 2" in said
    assert "sft.batch_size: 2" not in said  # the smallest change of each kind
    assert "sft.gradient_checkpointing: true" in said


def test_where_nothing_would_fit_it_says_so(tiny_base: Path, sft: SftSettings) -> None:
    with pytest.raises(TrainingError, match=r"choose a smaller base\.model"):
        require_memory(tiny_base, sft, LOAD, CPU, memory=MIB)


def test_spread_weights_are_counted_in_parts(
    tiny_base: Path, sft: SftSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = estimate(shape_in(tiny_base), sft, LOAD, device="cpu", precision="float32")
    monkeypatch.setenv("WORLD_SIZE", "4")
    spread = sft.model_copy(update={"sharded": True})
    part = estimate(shape_in(tiny_base), spread, LOAD, device="cpu", precision="float32")
    assert (part.weights, part.moments) == (whole.weights // 4, whole.moments // 4)
    assert part.step == whole.step
    assert estimate(shape_in(tiny_base), sft, LOAD, device="cpu", precision="float32") == whole


@pytest.mark.parametrize(("stage", "weights", "moments"), [(0, 1, 1), (2, 1, 4), (3, 4, 4)])
def test_deepspeed_spreads_what_its_stage_says(
    stage: int, weights: int, moments: int, tiny_base: Path, sft: SftSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = estimate(shape_in(tiny_base), sft, LOAD, device="cpu", precision="float32")
    monkeypatch.setenv("WORLD_SIZE", "4")
    under = sft.model_copy(update={"deepspeed": DeepSpeedSettings(zero_optimization={"stage": stage})})
    part = estimate(shape_in(tiny_base), under, LOAD, device="cpu", precision="float32")
    assert (part.weights, part.moments) == (whole.weights // weights, whole.moments // moments)


def test_weights_that_will_be_rounded_are_loaded_whole(
    tiny_base: Path, sft: SftSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounded = DryStep(
        trainable=1, total=1000 * MIB, weights=250 * MIB, moments=0, gradients=0, step=0, written=0
    )
    monkeypatch.setattr("tasks.training.memory.dry_step.dry_step", lambda *_, **__: rounded)
    found = estimate(shape_in(tiny_base), sft, LOAD, device="cuda", precision="bfloat16")
    assert (found.reached, found.peak) == ("loading", found.process + 2 * rounded.total)


def test_what_the_process_holds_besides_counts(tiny_base: Path, sft: SftSettings) -> None:
    plain = peak(tiny_base, sft, LOAD)
    assert require_memory(tiny_base, sft, LOAD, CPU, held=50 * MIB).peak == plain + 50 * MIB


def test_the_heaviest_batch_counts_a_common_beginning_once() -> None:
    def row(*tokens: int) -> TokenRow:
        return TokenRow(input_ids=tokens, answer_start=len(tokens) - 1, truncated=False)

    rows = [row(1, 2, 3, 4), row(1, 2, 5), row(7), row(8)]
    plan = schedule([4, 3, 1, 1], batch_size=2, seed=0, together=[[0, 1], [2, 3]], by_length=False)
    assert heaviest(rows, plan, batch_size=2) == Load(rows=2, length=4, answers=2, tokens=5)


def test_the_limit_of_a_control_group_is_seen(tmp_path: Path) -> None:
    (tmp_path / "self").write_text("0::/box/job\n", encoding="utf-8")
    for group, limit, used in (("box", "1000", "600"), ("box/job", "max", "10")):
        folder = tmp_path / "cgroup" / group
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "memory.max").write_text(limit, encoding="utf-8")
        (folder / "memory.current").write_text(used, encoding="utf-8")
        (folder / "memory.stat").write_text("anon 5\ninactive_file 100\n", encoding="utf-8")
    assert list(_cgroup_free(tmp_path / "self", tmp_path / "cgroup")) == [500]
    assert list(_cgroup_free(tmp_path / "nothing", tmp_path / "cgroup")) == []


def test_this_machine_has_memory() -> None:
    assert available() > 100 * MIB
