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
KNOWLEDGE = KnowledgeSettings(max_drift=0.2, max_lost=0.1)
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
    """The splits of rows of which the one called 0 is in quarantine, beside one document."""
    held = Dropped(id="0", kind="example", source="test", stage="validate", reason="odd", detail="")
    with_document = replace(found, documents=(DOCUMENT,))
    return staged(tmp_path, with_document, how, held=[held], passed=passed, before=before, items=items)


def staged(
    place: Path,
    found: Rows,
    how: SplitSettings = SETTINGS,
    *,
    held: Sequence[Dropped] = (),
    passed: bool = True,
    before: Path | None = None,
    items: Sequence[EvaluationItem] = (),
    knowledge: KnowledgeSettings = KNOWLEDGE,
) -> Path:
    """The splits of rows, by the stage itself; all that it reads and writes stands in `place`."""
    place.mkdir(exist_ok=True)
    write_rows(place / "rows", found)
    write_table(place / "quarantine.parquet", Dropped, held)
    write_table(place / "evaluations.parquet", EvaluationItem, items)
    write_report(place / "gate.json", Report(stage="gate", figures={"passed": passed}))
    split(
        place / "rows",
        place / "quarantine.parquet",
        place / "gate.json",
        place / "evaluations.parquet",
        splits=place / "splits",
        report=place / "report.json",
        before=before,
        settings=how,
        knowledge=knowledge,
    )
    return place / "splits"


def places(folder: Path) -> dict[str, str]:
    """The split of each example that stands in one."""
    return {
        row.id: name for name in SPLITS for row in read_table(folder / name / "examples.parquet", Example)
    }
