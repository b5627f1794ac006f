"""Protects the stage `classify`: rows of the chain in, a model that predicts out, every row accounted for."""

from pathlib import Path

import pytest

from deploy.messages import Message
from tasks.errors import SourceError
from tasks.recipes.classify import classify, predict
from tasks.rows.records import Example
from tasks.rows.reports import read_report, unbalanced
from tasks.rows.tables import write_table
from tasks.settings import load_settings
from tests.conftest import ROOT

SETTINGS = load_settings(ROOT / "params.yaml")
RUN = SETTINGS.run.model_copy(update={"threads": 1, "precision": "float32"})
SMALL = {"epochs": 8, "batch_size": 4, "head_learning_rate": 0.05, "max_rows": 8, "max_length": 12}
SMALL |= {"method_settings": {"lora": {"rank": 4, "learning_rate": 0.01}, "prompt": {"tokens": 3}}}


def example(number: int, label: str, *, task: str = "label") -> Example:
    text = "kernel kernel kernel" if label == "svm" else "default of the answer"
    return Example(
        id=f"{label}{number}",
        source="s",
        task=task,
        messages=(Message("user", f"{text} {number}"), Message("assistant", label)),
        evidence=(),
        quote="",
        withheld=(),
        answerable=True,
        group=str(number),
    )


@pytest.fixture
def splits(tmp_path: Path) -> Path:
    rows = [example(number, label) for number in range(6) for label in ("svm", "doc")]
    rows += [example(9, "doc", task="chat"), example(10, "doc")]
    for split in ("train", "test"):
        extra = [example(11, "neither")] if split == "test" else []
        write_table(tmp_path / "splits" / split / "examples.parquet", Example, [*rows, *extra])
    return tmp_path / "splits"


@pytest.mark.parametrize("method", ["lora", "prompt"])
def test_it_learns_measures_what_it_wrote_and_predicts(
    method: str, splits: Path, tiny_base: Path, tmp_path: Path
) -> None:
    classify(
        splits,
        tiny_base,
        model=tmp_path / "model",
        report=tmp_path / "report.json",
        method=method,
        run=RUN,
        settings=SETTINGS.classify.model_copy(update=SMALL),
    )
    report = read_report(tmp_path / "report.json")
    assert unbalanced(report.rows) == []
    assert {row.reason: row.count for row in report.rows if row.outcome == "unused"} == {
        "over classify.max_rows": 5,
        "of another task": 1,
    }
    figures = report.figures
    assert figures["questions"] == 14
    assert figures["unseen_labels"] == 1  # asked, and wrong whatever is answered
    assert figures["confusion"]["neither"].keys() <= {"doc", "svm"}
    assert figures["low"] <= figures["accuracy"] <= figures["high"]
    assert figures["accuracy"] < 1.0
    texts = [row.prompt[0].content for row in (example(1, "svm"), example(1, "doc"))]
    found = predict(tiny_base, tmp_path / "model", texts, run=RUN, max_length=12)
    assert set(found) <= {"doc", "svm"}
    if method == "lora":
        assert found == ["svm", "doc"]
        assert figures["accuracy"] > figures["majority"]


def test_rows_without_labels_are_told_with_the_next_step(
    splits: Path, tiny_base: Path, tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match=r"no rows of the task .mood. .it has chat, label.; give your"):
        classify(
            splits,
            tiny_base,
            model=tmp_path / "model",
            report=tmp_path / "report.json",
            method="lora",
            run=RUN,
            settings=SETTINGS.classify.model_copy(update={"task": "mood"}),
        )
