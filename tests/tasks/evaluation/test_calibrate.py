"""Protects the stage as a whole: a threshold for each tuned model, its curve, and every row accounted for."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deploy.engines.local import TransformersEngine
from tasks.evaluation import calibrate as calibrating
from tasks.evaluation.calibrate import calibrate
from tasks.evaluation.settings import CalibrateSettings
from tasks.evaluation.thresholds import read_thresholds
from tasks.rows.records import Example
from tasks.rows.reports import Report, read_report, unbalanced
from tasks.rows.skipped import skip
from tasks.rows.tables import read_table, write_table
from tests.conftest import small_settings


@pytest.fixture(scope="module")
def inputs(
    tiny_chain: list[Path], tiny_adapters: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """The tiny chain with the rows of the test for validation: they are of both sorts."""
    splits = tmp_path_factory.mktemp("splits")
    rows = read_table(tiny_chain[0] / "test" / "examples.parquet", Example)
    write_table(splits / "validation" / "examples.parquet", Example, rows)
    places = dict(zip(("splits", "base", "embedder", "knowledge"), tiny_chain, strict=True))
    return {**places, "splits": splits, **tiny_adapters}


def run(inputs: dict[str, Path], out: Path, *, questions: int = 6, at_most: float | None = None) -> Report:
    values = small_settings()
    calibrate(
        **inputs,
        thresholds=out / "calibration.json",
        curve=out / "calibrate_curve.csv",
        report=out / "calibrate.json",
        run=values.run,
        retrieval=values.retrieval,
        prompt=values.prompt,
        generation=values.generation,
        settings=CalibrateSettings(questions=questions, max_abstains_wrongly=at_most, batch_size=4),
    )
    return read_report(out / "calibrate.json")


def test_each_tuned_model_has_a_threshold_that_is_a_point_of_its_curve(
    inputs: dict[str, Path], tmp_path: Path
) -> None:
    report = run(inputs, tmp_path)
    thresholds = read_thresholds(tmp_path / "calibration.json")
    assert set(thresholds) == {"sft", "rlhf"}
    assert unbalanced(report.rows) == []
    with (tmp_path / "calibrate_curve.csv").open() as file:
        rows = list(csv.DictReader(file))
    for name, rule in thresholds.items():
        told = report.figures[name]
        own = {float(row["threshold"]): row for row in rows if row[name]}
        nearest = min(own, key=lambda at: abs(at - rule.threshold))
        assert nearest == pytest.approx(rule.threshold, rel=1e-4)
        # So few questions cannot say whether coverage helps.
        assert rule.coverage_weight == told["coverage_weight"] == 0.0
        assert told["threshold"] == told["threshold_covered"]
        assert float(own[nearest][name]) == told["abstains_rightly"]
        assert float(own[nearest]["abstains_wrongly"]) == told["abstains_wrongly"]
        assert told["abstains_rightly"] >= told["abstains_wrongly"]
        assert 0.0 <= told["auc"] == told["auc_of_chance"] <= 1.0


def test_questions_that_no_model_has_room_for_are_left_out_and_counted(
    inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, asked = calibrating.prompt_ids, iter(range(100))

    def longer(*given: Any) -> list[int]:
        return plain(*given) * (100 if next(asked) == 0 else 1)  # the first one, by itself

    monkeypatch.setattr(calibrating, "prompt_ids", longer)
    report = run(inputs, tmp_path)
    assert unbalanced(report.rows) == []
    assert {row.reason: row.count for row in report.rows if row.count == 1} == {
        "longer than the model's context": 1
    }


def test_no_more_questions_with_an_answer_are_refused_than_the_limit_lets(
    inputs: dict[str, Path], tmp_path: Path
) -> None:
    free = run(inputs, tmp_path / "free").figures["sft"]
    told = run(inputs, tmp_path / "bound", at_most=0.0).figures["sft"]
    assert told["abstains_wrongly"] == 0.0 < free["abstains_wrongly"]
    assert told["threshold"] > free["threshold"]


def test_without_questions_no_model_has_a_threshold(inputs: dict[str, Path], tmp_path: Path) -> None:
    report = run(inputs, tmp_path, questions=0)
    assert read_thresholds(tmp_path / "calibration.json") == {}
    assert unbalanced(report.rows) == []


def test_a_layer_that_was_left_out_is_not_calibrated(inputs: dict[str, Path], tmp_path: Path) -> None:
    left_out = tmp_path / "rlhf"
    places = {"adapter": left_out, "curve": tmp_path / "curve.csv", "report": tmp_path / "rlhf.json"}
    skip("rlhf", "no pairs", kind="example", entered=0, **places)
    run({**inputs, "rlhf": left_out}, tmp_path)
    assert set(read_thresholds(tmp_path / "calibration.json")) == {"sft"}


def test_coverage_is_weighed_where_it_tells_what_the_model_does_not(
    inputs: dict[str, Path], tmp_path: Path
) -> None:
    # The model knows nothing; the name that is asked about stands in the hidden document alone.
    rows = read_table(inputs["splits"] / "validation" / "examples.parquet", Example)
    many = [replace(row, id=f"{row.id}-{copy}") for copy in range(6) for row in rows]
    write_table(tmp_path / "splits" / "validation" / "examples.parquet", Example, many)
    report = run({**inputs, "splits": tmp_path / "splits"}, tmp_path, questions=len(many))
    told = report.figures["sft"]
    rule = read_thresholds(tmp_path / "calibration.json")["sft"]
    assert rule.coverage_weight == told["coverage_weight"] > 0.0
    assert told["threshold"] < told["threshold_covered"]
    assert told["auc"] > told["auc_of_chance"]
    assert (told["abstains_rightly"], told["abstains_wrongly"]) == (1.0, 0.0)
    # In a half are too few to weigh coverage by, and the chance tells little.
    halves = told["on_other_halves"]
    assert halves["rightly"] - halves["wrongly"] < 1.0


def test_a_model_that_is_another_is_not_asked_again(
    inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = TransformersEngine.abstention_chances

    def noted(self: TransformersEngine, prompts: Any, *, model: str) -> list[float]:
        asked.append(model)
        return real(self, prompts, model=model)

    monkeypatch.setattr(TransformersEngine, "abstention_chances", noted)
    report = run({**inputs, "rlhf": inputs["sft"]}, tmp_path)
    assert asked == ["sft"]
    assert report.figures["sft"] == report.figures["rlhf"]
