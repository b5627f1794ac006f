"""Protects row accounting: what a report says is what is read back, and missing rows are noticed."""

from pathlib import Path

import pytest

from tasks.errors import SourceError
from tasks.rows.reports import Report, read_report, row_counts, unbalanced, write_report
from tests.tasks.rows.made import counted


def test_a_report_comes_back_as_it_was_and_in_equal_bytes(tmp_path: Path) -> None:
    report = Report(stage="clean", rows=counted(entered=3, kept=3), figures={"b": {"x": 1.5}, "a": [1]})
    write_report(tmp_path / "a.json", report)
    write_report(tmp_path / "b.json", report)
    assert read_report(tmp_path / "a.json") == report
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


@pytest.mark.parametrize(
    "text", [None, "{", "[]", '{"stage": "clean"}', '{"stage": 1, "rows": [{}], "figures": {}}']
)
def test_what_is_no_report_is_told(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "report.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SourceError, match=r"report\.json cannot be read: .*; run dvc repro"):
        read_report(path)


def test_rows_are_counted_by_reason_in_a_fixed_order_and_no_reason_without_rows() -> None:
    counts = row_counts("example", 9, kept=4, dropped={"long": 2, "empty": 1, "short": 0}, unused={"many": 2})
    assert [(count.outcome, count.reason, count.count) for count in counts] == [
        ("in", "", 9),
        ("kept", "", 4),
        ("dropped", "empty", 1),
        ("dropped", "long", 2),
        ("unused", "many", 2),
    ]
    assert counts == row_counts(
        "example", 9, kept=4, dropped={"empty": 1, "long": 2}, unused={"many": 2, "late": 0}
    )
    assert unbalanced(counts) == []


def test_rows_that_add_up_are_silent() -> None:
    assert unbalanced(counted(entered=10, kept=4, dropped=3, quarantined=2, unused=1)) == []
    assert unbalanced([]) == []


def test_truncated_rows_are_counted_beside_the_trained_ones() -> None:
    assert unbalanced(counted(entered=5, trained=5, truncated=2)) == []


def test_each_kind_that_does_not_add_up_is_told() -> None:
    rows = counted(entered=5, kept=4) + counted("document", kept=1)
    assert unbalanced(rows + counted("preference", entered=2, kept=2)) == [
        "document: 0 rows came in, 1 are accounted for",
        "example: 5 rows came in, 4 are accounted for",
    ]
