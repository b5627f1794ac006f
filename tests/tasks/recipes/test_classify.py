"""Protects the stage `classify`: rows of the chain in, a model that predicts out, every row accounted for."""

from pathlib import Path

import pytest

from tasks.errors import SourceError
from tasks.recipes.classify import classify, predict
from tasks.rows.records import Example
from tasks.rows.reports import read_report, unbalanced
from tasks.rows.tables import write_table
from tests.conftest import small_settings
from tests.tasks.rows.made import question

SETTINGS = small_settings()
RUN = SETTINGS.run
SMALL = {"epochs": 24, "batch_size": 4, "head_learning_rate": 0.05, "max_rows": 8, "max_length": 12}
SMALL |= {"method_settings": {"lora": {"rank": 4, "learning_rate": 0.01}, "prompt": {"tokens": 3}}}


def example(number: int, label: str, *, task: str = "label") -> Example:
    text = "kernel kernel kernel" if label == "svm" else "default of the answer"
    return question(f"{label}{number}", f"{text} {number}", label, task=task)


@pytest.fixture
def splits(tmp_path: Path) -> Path:
    rows = [example(number, label) for number in range(6) for label in ("svm", "doc")]
    rows += [example(9, "doc", task="chat"), example(10, "doc")]
    for split in ("train", "test"):
        extra = [example(11, "neither")] if split == "test" else []
        write_table(tmp_path / "splits" / split / "examples.parquet", Example, [*rows, *extra])
    return tmp_path / "splits"


def learn(splits: Path, base: Path, out: Path, method: str = "lora", **changed: object) -> None:
    small = SETTINGS.classify.model_copy(update={**SMALL, **changed})
    files = {"model": out / "model", "report": out / "report.json"}
    classify(splits, base, **files, method=method, run=RUN, settings=small)


@pytest.mark.parametrize("method", ["lora", "prompt"])
def test_it_learns_measures_what_it_wrote_and_predicts(
    method: str, splits: Path, tiny_base: Path, tmp_path: Path
) -> None:
    learn(splits, tiny_base, tmp_path, method=method)
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
        learn(splits, tiny_base, tmp_path, task="mood")
