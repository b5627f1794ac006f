"""Protects the tasks cut out of documentation: their answers are true, and score as good answers."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tasks.prepare.collect.documentation.extracts import read_extracts
from tasks.prepare.collect.queries import KINDS, THEMES, read_queries
from tasks.prepare.collect_settings import ExtractsSource, QueriesSource
from tasks.rows.records import Example
from tasks.scoring.scores import score

MODULE = '''
"""A module."""

__all__ = ["scale", "shift", "spread"]


def scale(values, factor=2.5, *, mode="linear", clip=None, strict=False):
    """Multiply all values by a constant number.

    Each of them is taken as it is, and no attempt is made to find out whether the product still fits into
    the type of the values, or whether the numbers were finite before. See `shift`.

    Parameters
    ----------
    values : list of float
        The numbers.
    """


def shift(values, by=print, *others):
    """Add a number to all values of it."""


def spread(first, second):
    """Give the %s of two numbers."""
'''


def extracted(task: str, seed: int = 1) -> list[Example]:
    source = ExtractsSource.model_validate(
        {"kind": "extracts", "task": task, "packages": ["extract_one", "extract_two"], "max_rows": 8}
    )
    return list(read_extracts(source, seed=seed).rows.examples)


@pytest.fixture(autouse=True)
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two installed packages, in the second of which one summary names the package."""
    for name, word in (("extract_one", "difference"), ("extract_two", "extract_two")):
        (tmp_path / f"{name}.py").write_text(MODULE % word, encoding="utf-8")
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))


def test_a_label_is_the_package_and_never_stands_in_the_question() -> None:
    rows = extracted("label")
    assert {row.answer for row in rows} == {"extract_one", "extract_two"}
    assert all(row.answer not in row.prompt[-1].content for row in rows)
    assert sum("two numbers" in row.prompt[-1].content for row in rows) == 1


def test_a_summary_is_the_first_sentence_and_the_question_what_follows() -> None:
    rows = extracted("summary")
    assert {row.answer for row in rows} == {"Multiply all values by a constant number."}
    assert all("no attempt is made" in row.prompt[-1].content for row in rows)
    assert not any("Multiply" in row.prompt[-1].content for row in rows)


def test_json_is_the_signature_and_what_json_cannot_say_is_left_out() -> None:
    rows = {json.loads(row.answer)["function"]: row for row in extracted("json")}
    assert set(rows) == {"scale", "spread"}
    found: dict[str, Any] = json.loads(rows["scale"].answer)
    assert found["required"] == ["values"]
    assert found["defaults"] == {"factor": 2.5, "mode": "linear", "clip": None, "strict": False}
    assert "scale(values, factor=2.5, mode='linear', clip=None" in rows["scale"].prompt[-1].content


@pytest.mark.parametrize("task", ["label", "summary", "json"])
def test_what_repeats_is_one_group_and_good_answers_score_one(task: str) -> None:
    rows = extracted(task)
    assert rows == extracted(task)
    assert {row.task for row in rows} == {task}
    assert all(score(row, row.answer) == 1.0 for row in rows)
    assert len({row.group for row in rows}) < len(rows)  # both packages have the same scale


def test_queries_are_answered_over_tables_that_the_question_describes() -> None:
    rows = read_queries(QueriesSource(kind="queries", max_rows=90), seed=3).rows.examples
    assert len(rows) == len({row.id for row in rows}) == 90
    assert len({row.group for row in rows}) <= len(KINDS) * len(THEMES)
    for row in rows:
        assert score(row, f"```sql\n{row.answer}\n```") == 1.0
        assert score(row, row.answer.replace("SELECT", "SELECT ALL")) == 1.0  # run, not compared as text
        assert score(row, "SELECT 0") == score(row, row.answer.replace(" FROM", " FORM")) == 0.0
