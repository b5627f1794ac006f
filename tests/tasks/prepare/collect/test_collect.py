"""Protects the stage `collect`: all sources end in one set of rows, and the row accounting balances."""

from pathlib import Path

from tasks.prepare.collect_settings import CollectSettings, FileSource, FolderSource
from tasks.rows.records import Dropped
from tasks.rows.reports import read_report, unbalanced
from tasks.rows.tables import read_rows, read_table
from tests.tasks.prepare.collect.running import collected


def test_sources_are_put_together_and_accounted_for(tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    (sources / "manual").mkdir(parents=True)
    (sources / "manual" / "a.md").write_text("# A\n\nText.")
    (sources / "faq.jsonl").write_text('{"prompt": "Why?", "completion": "Because."}\nbroken\n')
    settings = CollectSettings(
        sources=[
            FolderSource(kind="markdown", path=sources / "manual"),
            FileSource(kind="file", path=sources / "faq.jsonl"),
        ]
    )
    collected(tmp_path, settings)
    rows = read_rows(tmp_path / "rows")
    assert (len(rows.examples), len(rows.preferences), len(rows.documents)) == (1, 0, 1)
    assert [row.reason for row in read_table(tmp_path / "dropped.parquet", Dropped)] == ["broken_json"]
    report = read_report(tmp_path / "report.json")
    assert unbalanced(report.rows) == []
    assert [part["source"] for part in report.figures["sources"]] == ["markdown", "file"]
