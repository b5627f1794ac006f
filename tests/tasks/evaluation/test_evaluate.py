"""Protects the stage as a whole: tiny model and store in, ledger, answers and row accounting out."""

from pathlib import Path

import pytest

from tasks.errors import SourceError
from tasks.evaluation.answers import read_answers
from tasks.evaluation.evaluate import evaluate
from tasks.evaluation.ledger import NAMES, Ledger, ledger_markdown, read_ledger
from tasks.evaluation.settings import EvaluateSettings
from tasks.rows.records import Example
from tasks.rows.reports import read_report, unbalanced
from tasks.rows.skipped import skip
from tasks.rows.tables import write_table
from tasks.scoring.scores import Interval
from tests.conftest import small_settings


@pytest.fixture(scope="module")
def inputs(tiny_chain: list[Path], tiny_adapters: dict[str, Path]) -> dict[str, Path]:
    return dict(zip(("splits", "base", "embedder", "knowledge"), tiny_chain, strict=True)) | tiny_adapters


def run(inputs: dict[str, Path], out: Path) -> Ledger:
    values = small_settings(generation={"max_new_tokens": 4})
    evaluate(
        **inputs,
        ledger=out / "ledger.json",
        answers=out / "answers.jsonl",
        report=out / "evaluate.json",
        run=values.run,
        retrieval=values.retrieval,
        prompt=values.prompt,
        generation=values.generation,
        settings=EvaluateSettings(
            questions=6,
            batch_size=4,
            bootstrap=100,
            latency_requests=1,
            base_max_new_tokens=4,
            parity_answers=4,
        ),
    )
    return read_ledger(out / "ledger.json")


@pytest.fixture(scope="module")
def measured(inputs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("measured")
    run(inputs, folder)
    return folder


def test_the_stage_writes_a_whole_ledger(measured: Path) -> None:
    ledger = read_ledger(measured / "ledger.json")
    assert list(ledger.arms) == list(NAMES)
    assert ledger.questions == 6
    assert ledger.unanswerable == 2
    assert ledger.recall is not None
    assert ledger.majority_answer == "`1.0`"
    assert ledger.majority == pytest.approx(4 / 6, abs=1e-4)
    base = ledger.arms["base"].retention
    assert base == ledger.arms["prompt"].retention == ledger.arms["retrieval"].retention == 1.0
    assert ledger.arms["sft"].retention == ledger.arms["sft_closed_book"].retention != 1.0
    moved = {name: arm.divergence for name, arm in ledger.arms.items()}
    assert moved["base"] == moved["retrieval"] == Interval(mean=0.0, low=0.0, high=0.0)
    assert moved["sft"] is not None
    assert 0.0 < moved["sft"].low < moved["sft"].mean < moved["sft"].high
    answers = read_answers(measured / "answers.jsonl")
    assert [list(answer.arms) for answer in answers] == [list(NAMES)] * 6
    report = read_report(measured / "evaluate.json")
    assert unbalanced(report.rows) == []
    assert report.figures["questions"] == {"default": 4, "withheld": 2}


def test_a_layer_that_was_left_out_has_no_row_and_a_reason(inputs: dict[str, Path], tmp_path: Path) -> None:
    left_out = tmp_path / "rlhf"
    places = {"adapter": left_out, "curve": tmp_path / "curve.csv", "report": tmp_path / "rlhf.json"}
    skip("rlhf", "no pairs", kind="example", entered=0, **places)
    ledger = run({**inputs, "rlhf": left_out}, tmp_path)
    assert list(ledger.arms) == [name for name in NAMES if name != "rlhf"]
    assert ledger.skipped == {"rlhf": "no pairs"}
    assert "- RLHF was skipped: no pairs." in ledger_markdown(ledger).splitlines()


def test_all_but_the_clock_repeats(inputs: dict[str, Path], measured: Path, tmp_path: Path) -> None:
    again, before = run(inputs, tmp_path), read_ledger(measured / "ledger.json")
    for name in ("answers.jsonl", "evaluate.json"):
        assert (tmp_path / name).read_bytes() == (measured / name).read_bytes()
    assert [arm.score for arm in again.arms.values()] == [arm.score for arm in before.arms.values()]


def test_an_empty_test_split_is_refused_in_words(inputs: dict[str, Path], tmp_path: Path) -> None:
    for split in ("train", "test"):
        write_table(tmp_path / "splits" / split / "examples.parquet", Example, [])
    with pytest.raises(SourceError, match=r"has 0 examples and none can be asked.*split\.test"):
        run({**inputs, "splits": tmp_path / "splits"}, tmp_path)
