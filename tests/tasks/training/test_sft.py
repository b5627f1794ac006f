"""Protects fine-tuning: rows as served, every row counted, the same bytes again and after a kill, no NaN."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.engines.chat import load_tokenizer, prompt_ids
from tasks.errors import TrainingError
from tasks.rows.grounding import ground
from tasks.rows.learned import read_learned
from tasks.rows.records import Example
from tasks.rows.reports import unbalanced
from tasks.settings import Settings
from tasks.training.trained import Trained
from tasks.training.tuning.tokens import tokenise
from tests.conftest import ROOT
from tests.contents import hashes
from tests.deploy.knowledge.listed import reader
from tests.tasks.training.tuning.processes import SCRIPT, changed, written
from tests.tasks.training.tuning.tune import tune
from tests.waiting import wait_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A tiny model and rows on disk, and a way to train on them."""

    folder: Path
    base: Path
    settings: Settings
    examples: list[Example]
    tables: tuple[Path, Path]

    def tune(self, work: str, rate: float | None = None, **values: object) -> Trained:
        """Fine-tune in this process, LoRA learning at `rate`."""
        if rate is not None:
            values["lora"] = self.settings.sft.lora.model_copy(update={"learning_rate": rate})
        settings = changed(self.settings, **values)
        return tune(self.examples[:42], self.examples[42:], self.base, self.folder / work, settings)

    def start(self, name: str) -> "subprocess.Popen[str]":
        """Fine-tune in a process of its own; what it leaves is called `name`, its states `work-<name>`."""
        file = written(self.settings, self.folder / f"{name}.json")
        return subprocess.Popen(
            [sys.executable, SCRIPT, *self.tables, self.base, self.folder, file],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)},
        )


@pytest.fixture(scope="module")
def bench(
    tmp_path_factory: pytest.TempPathFactory,
    tiny_base: Path,
    settings: Settings,
    examples: list[Example],
    tables: tuple[Path, Path],
) -> Bench:
    """Forty-two rows to train on and six held out."""
    folder = tmp_path_factory.mktemp("sft")
    return Bench(folder=folder, base=tiny_base, settings=settings, examples=examples, tables=tables)


@pytest.fixture(scope="module")
def tuned(bench: Bench) -> Trained:
    """One whole run."""
    return bench.tune("first")


def _losses(tuned: Trained) -> list[tuple[float, ...]]:
    """The training loss of each step, and the validation loss where there is one."""
    lines = tuned.curve.splitlines()[1:]
    return [tuple(float(value) for value in line.split(",")[2:] if value) for line in lines]


def test_rows_are_what_is_served(tiny_base: Path, examples: list[Example]) -> None:
    tokenizer = load_tokenizer(tiny_base)
    grounded = ground(examples, reader())
    rows = tokenise(grounded, tokenizer, max_length=300).rows
    for row, example in zip(rows, grounded, strict=True):
        assert list(row.input_ids[: row.answer_start]) == prompt_ids(tokenizer, example.messages)
        answer = row.input_ids[row.answer_start :]
        assert tokenizer.decode(answer) == f"{example.target}<|im_end|>"
        assert set(row.labels[: row.answer_start]) == {-100}
        assert row.labels[row.answer_start :] == list(answer)


def test_long_rows_are_cut_or_dropped_and_counted(tiny_base: Path, examples: list[Example]) -> None:
    tokenizer = load_tokenizer(tiny_base)
    grounded = ground(examples, reader())
    whole = tokenise(grounded, tokenizer, max_length=300).rows
    starts = sorted(row.answer_start for row in whole)
    limit = starts[len(starts) // 2] + 2
    cut = tokenise(grounded, tokenizer, max_length=limit)
    assert cut.no_room == sum(row.answer_start >= limit for row in whole) > 0
    assert sum(row.truncated for row in cut.rows) == sum(
        row.answer_start < limit < len(row.input_ids) for row in whole
    )
    assert all(len(row.input_ids) <= limit and row.answer_tokens > 0 for row in cut.rows)


def test_every_row_and_token_is_accounted_for(tuned: Trained, bench: Bench, examples: list[Example]) -> None:
    report = tuned.report
    assert unbalanced(report.rows) == []
    counts = {row.outcome: row.count for row in report.rows}
    assert (counts["in"], counts["trained"], counts["unused"]) == (42, 40, 2)
    assert report.figures["targets"] == {"answer": 13, "abstention": 13, "missed": 14, "free": 0}
    lines = tuned.curve.splitlines()
    assert lines[0] == "step,tokens,loss,validation_loss"
    assert len(lines) == 1 + report.figures["steps"] == 11
    assert int(lines[-1].split(",")[1]) == report.figures["tokens"]
    assert [line.split(",")[0] for line in lines[1:] if line.split(",")[3]] == ["5", "10"]


def test_counterfactual_rows_are_counted_apart(bench: Bench) -> None:
    report = bench.tune("twins", counterfactuals={"default": 0.5, "unheard-of": 1.0}).report
    assert unbalanced(report.rows) == []
    counts = {(row.kind, row.outcome): row.count for row in report.rows}
    assert (counts["example", "trained"], counts["example", "unused"]) == (40, 2)
    assert counts["counterfactual", "in"] == counts["counterfactual", "trained"] == 14
    assert report.figures["targets"] == {"answer": 13, "abstention": 27, "missed": 14, "free": 0}


def test_the_adapter_tells_nothing_of_this_machine(tuned: Trained, bench: Bench) -> None:
    assert sorted(path.name for path in tuned.adapter.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
        "learned.parquet",
        "method.json",
    ]
    learned = read_learned(tuned.adapter)
    counts = {row.outcome: row.count for row in tuned.report.rows}
    assert len(learned) == counts["trained"]
    assert learned <= {f"e{number}" for number in range(42)}
    config = json.loads((tuned.adapter / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "base"
    assert str(bench.folder.parent) not in json.dumps(config)
    assert config["layers_to_transform"] == [1, 2, 3]


def test_the_same_rows_give_the_same_bytes(tuned: Trained, bench: Bench) -> None:
    again = bench.tune("again")
    assert hashes(again.adapter) == hashes(tuned.adapter)
    assert (again.curve, again.report) == (tuned.curve, tuned.report)


def test_a_killed_run_ends_with_the_same_bytes(tuned: Trained, bench: Bench) -> None:
    first = bench.start("killed")
    work = bench.folder / "work-killed"
    wait_until(lambda: [*work.glob("checkpoint/values.json")] or first.poll() is not None, seconds=120)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert first.returncode == -signal.SIGKILL, "the run ended before it could be killed"
    second = bench.start("killed")
    printed, _ = second.communicate(timeout=120)
    assert second.returncode == 0
    assert "going on from step" in printed
    assert hashes(bench.folder / "killed") == hashes(tuned.adapter)


def test_accumulated_batches_equal_one_large_batch(bench: Bench) -> None:
    rows: dict[str, object] = {"max_rows": 32, "warmup": 0.0}
    large = bench.tune("large", 0.01, batch_size=32, accumulation=1, **rows)
    parts = bench.tune("parts", 0.01, batch_size=8, accumulation=4, **rows)
    assert large.report.figures["steps"] == parts.report.figures["steps"] == 1
    for one, other in zip(_losses(large), _losses(parts), strict=True):
        assert one == pytest.approx(other, abs=2e-5)


def test_training_lowers_the_loss(bench: Bench) -> None:
    losses = [pair[0] for pair in _losses(bench.tune("longer", 0.01, epochs=3))]
    assert losses[-1] < 0.95 * losses[0]


def test_training_stops_when_validation_no_longer_improves(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped = bench.tune("stopped", 1.0, epochs=4, validation_passes=20, patience=1)
    figures = stopped.report.figures
    assert "stopped early" in capsys.readouterr().out
    assert figures["best_step"] < figures["steps"] < figures["planned_steps"]


def test_a_loss_that_is_no_number_stops_with_the_step(bench: Bench) -> None:
    with pytest.raises(TrainingError, match=r"step \d+ \(rows e\d+, .*lower learning_rate"):
        bench.tune("nan", 1e38, epochs=2)


def test_the_last_good_state_outlives_a_loss_that_is_no_number(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks.training.tuning import trainer

    plain, seen = trainer.answer_loss, []

    def broken(model: Any, *batch: Any, **named: Any) -> Any:
        seen.append(model.training)
        return plain(model, *batch, **named) * (float("nan") if sum(seen) == 7 else 1.0)

    with monkeypatch.context() as patch:
        patch.setattr(trainer, "answer_loss", broken)
        with pytest.raises(
            TrainingError, match=r"at step 7 \(rows e\d+.*the state of step 6 is kept in .*checkpoint;"
        ):
            bench.tune("broken")
    resumed = bench.tune("broken")
    assert hashes(resumed.adapter) == hashes(bench.tune("unbroken").adapter)


def test_too_many_cut_rows_stop_the_run(tiny_base: Path, examples: list[Example]) -> None:
    tokenizer = load_tokenizer(tiny_base)
    grounded = ground(examples, reader())
    whole = tokenise(grounded, tokenizer, max_length=1000)
    whole.require_few_cut(limit=0.0, max_length=1000)
    longest = max(len(row.input_ids) for row in whole.rows)
    cut = tokenise(grounded, tokenizer, max_length=longest - 1)
    share = sum(row.truncated for row in cut.rows) / len(grounded)
    cut.require_few_cut(limit=share, max_length=longest - 1)
    with pytest.raises(TrainingError, match=r"of 48 rows \d+ are truncated and 0 have no room.*sft.max_cut"):
        cut.require_few_cut(limit=share / 2, max_length=longest - 1)


def test_running_out_of_memory_says_what_needs_less(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from tasks.training.tuning.trainer import AnswerTrainer

    def full(*_: object, **__: object) -> None:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(AnswerTrainer, "training_step", full)
    with pytest.raises(TrainingError, match=r"memory ran out.*gradient_checkpointing"):
        bench.tune("memory")


def test_nothing_to_train_on_is_said(bench: Bench) -> None:
    with pytest.raises(TrainingError, match=r"of 42 training examples none can be trained on"):
        bench.tune("empty", max_length=16)
