"""Protects the source `feedback`: what makes no pair is counted as unused, and nothing rated is no fault."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import SourceError
from tasks.prepare.collect.feedback import read_feedback
from tasks.prepare.collect.identifiers import Collected
from tasks.prepare.collect.pieces import in_memory
from tasks.prepare.collect_settings import CollectSettings, FeedbackSource
from tasks.rows.records import Dropped
from tasks.rows.reports import outcomes, read_report, unbalanced
from tasks.rows.tables import read_rows, read_table
from tests.tasks.prepare.collect.running import collected

PROMPT = [{"role": "user", "content": "Why?"}]


def read(path: Path, *rows: Mapping[str, Any]) -> Collected:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return in_memory(read_feedback(FeedbackSource(kind="feedback", path=path), watched=path.parent))


@pytest.mark.parametrize(
    ("ratings", "reason"),
    [
        ([1.0], "only_up"),
        ([1.0, 1.0], "only_up"),
        ([0.0], "only_down"),
        ([0.0, 0.0], "only_down"),
        ([0.5, 0.5], "up_and_down"),
    ],
)
def test_what_compares_nothing_is_unused_with_its_reason(
    tmp_path: Path, ratings: list[float], reason: str
) -> None:
    row = {"prompt": PROMPT, "responses": ["A.", "B."][: len(ratings)], "ratings": ratings}
    found = read(tmp_path / "f.jsonl", row)
    assert (found.unused, found.dropped, found.rows.preferences) == ({reason: 1}, (), ())


@pytest.mark.parametrize(
    ("row", "detail"),
    [
        ({"prompt": PROMPT, "responses": ["A.", "B."]}, "no list of a number for each"),
        ({"prompt": PROMPT, "responses": ["A."], "ratings": [1, 2]}, "no list of two and more"),
        ({"prompt": PROMPT, "responses": ["A.", "B."], "ratings": []}, "no list of a number for each"),
        ({"prompt": PROMPT, "responses": ["A.", "B."], "ratings": ["x", "x"]}, "not a number"),
        ({"responses": ["A.", "B."], "ratings": [1, 2]}, "there is no prompt"),
    ],
)
def test_a_line_that_is_no_ranking_is_dropped(tmp_path: Path, row: Mapping[str, Any], detail: str) -> None:
    [dropped] = read(tmp_path / "f.jsonl", row).dropped
    assert (dropped.reason, dropped.kind, dropped.stage) == ("wrong_shape", "preference", "collect")
    assert detail in dropped.detail


def test_a_file_that_is_missing_or_empty_has_no_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = in_memory(
        read_feedback(FeedbackSource(kind="feedback", path=tmp_path / "f.jsonl"), watched=tmp_path)
    )
    assert (missing.rows.preferences, missing.dropped, missing.unused) == ((), (), {})
    assert "not there yet, threeply feedback export writes it" in capsys.readouterr().out
    assert read(tmp_path / "f.jsonl").rows.preferences == ()
    with pytest.raises(SourceError, match="files are read that end in"):
        read(tmp_path / "f.txt")


def test_the_stage_counts_what_makes_no_pair_and_drops_none_of_it(tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    rows = [
        {"prompt": PROMPT, "responses": ["A.", "B."], "ratings": [1, 0], "label": "human"},
        *({"prompt": PROMPT, "responses": ["A."], "ratings": [1]} for _ in range(9)),
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (sources / "f.jsonl").write_text(lines + "broken\n", encoding="utf-8")
    collected(
        tmp_path,
        CollectSettings(
            sources=[
                FeedbackSource(kind="feedback", path=sources / "f.jsonl"),
                FeedbackSource(kind="feedback", path=sources / "missing.jsonl"),
            ]
        ),
    )
    report = read_report(tmp_path / "report.json")
    assert unbalanced(report.rows) == []
    assert outcomes(report.rows)["preference"] == {"in": 11, "kept": 1, "dropped": 1, "unused": 9}
    assert {row.reason: row.count for row in report.rows if row.reason} == {"broken_json": 1, "only_up": 9}
    assert len(read_rows(tmp_path / "rows").preferences) == 1
    assert [row.reason for row in read_table(tmp_path / "dropped.parquet", Dropped)] == ["broken_json"]
