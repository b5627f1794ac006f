"""The stage `split` on a few rows, for tests."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tasks.prepare.settings import KnowledgeSettings, SplitSettings
from tasks.prepare.split import split
from tasks.prepare.split.ledger import SPLITS
from tasks.rows.records import Dropped, EvaluationItem, Example, Rows
from tasks.rows.reports import Report, write_report
from tasks.rows.tables import read_table, write_rows, write_table
from tests.conftest import small_settings
from tests.tasks.rows.made import document

SETTINGS = small_settings().split.model_copy(update={"validation": 0.2, "test": 0.2, "salt": "s"})
DOCUMENT = document("d")


def run(
    tmp_path: Path,
    found: Rows,
    how: SplitSettings,
    *,
    passed: bool = True,
    before: Path | None = None,
    items: Sequence[EvaluationItem] = (),
) -> Path:
    """The splits of rows of which the one called 0 is in quarantine, by the stage itself."""
    tmp_path.mkdir(exist_ok=True)
    write_rows(tmp_path / "rows", replace(found, documents=(DOCUMENT,)))
    held = Dropped(id="0", kind="example", source="test", stage="validate", reason="odd", detail="")
    write_table(tmp_path / "quarantine.parquet", Dropped, [held])
    write_table(tmp_path / "evaluations.parquet", EvaluationItem, items)
    write_report(tmp_path / "gate.json", Report(stage="gate", figures={"passed": passed}))
    split(
        tmp_path / "rows",
        tmp_path / "quarantine.parquet",
        tmp_path / "gate.json",
        tmp_path / "evaluations.parquet",
        splits=tmp_path / "splits",
        report=tmp_path / "report.json",
        before=before,
        settings=how,
        knowledge=KnowledgeSettings(max_drift=0.2, max_lost=0.1),
    )
    return tmp_path / "splits"


def places(folder: Path) -> dict[str, str]:
    """The split of each example that stands in one."""
    return {
        row.id: name for name in SPLITS for row in read_table(folder / name / "examples.parquet", Example)
    }
