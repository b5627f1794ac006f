"""The stage `validate` run on rows that tests make, and rows of which it finds nothing wrong."""

import hashlib
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from deploy.messages import Message
from tasks.machine.settings import ParallelSettings
from tasks.prepare.clean_settings import CleanSettings
from tasks.prepare.collect_settings import CollectSettings, FolderSource
from tasks.prepare.validate import validate
from tasks.prepare.validate_settings import ValidateSettings
from tasks.rows.records import Dropped, Example, Rows
from tasks.rows.reports import Report, read_report
from tasks.rows.tables import read_table, write_rows
from tests.tasks.prepare.cleaning import cleaning
from tests.tasks.prepare.validate.made import DRIFT
from tests.tasks.rows.made import default_asked, document, pair, rows

SETTINGS = ValidateSettings(
    min_examples=2,
    min_documents=1,
    min_preferences=0,
    max_answer_words=10,
    unanswerable_between=[0.0, 0.6],
    max_group_share=1.0,
    severity={},
    drift=DRIFT,
)
COLLECT = CollectSettings(sources=[FolderSource(kind="markdown", path=Path("manual"))])
PARALLEL = ParallelSettings(executor="local", workers=1)
CLEAN = cleaning(min_characters=1, max_characters=100)
TEXT = "svm.SVC(C=1.0)\n\nC=1.0 : float\nRegularization."
DOCUMENT = document(
    "d1", TEXT, uri="py:svm.SVC@1", title="svm.SVC", sha256=hashlib.sha256(TEXT.encode()).hexdigest()
)
EXAMPLE = default_asked("e1", document="d1", group="svm.SVC")
QUESTION = EXAMPLE.messages[0]
ABSENT = default_asked("e2", document=None, group="svm.SVC")
ABSENT = replace(ABSENT, messages=(Message("system", "Be brief."), *ABSENT.messages))
PREFERENCE = pair("p1", evidence=("d1",), quote="C=1.0 :", group="svm.SVC")
GOOD = rows(EXAMPLE, ABSENT, pairs=[PREFERENCE], documents=[DOCUMENT])


def judge(
    given: Rows,
    out: Path,
    settings: ValidateSettings = SETTINGS,
    *,
    accepted: Path | None = None,
    clean: CleanSettings = CLEAN,
    work: Path | None = None,
) -> tuple[list[Dropped], Report]:
    """The rows held back, and the report; all outputs lie in `out`. `work` is that of a killed run."""
    write_rows(out / "rows", given)
    paths = {
        "quarantine": out / "quarantine.parquet",
        "profile": out / "profile.json",
        "page": out / "page.html",
        "report": out / "validate.json",
    }
    with TemporaryDirectory() as fresh:
        validate(
            out / "rows",
            accepted,
            **paths,
            work=work or Path(fresh),
            settings=settings,
            collect=COLLECT,
            clean=clean,
            parallel=PARALLEL,
        )
    return read_table(paths["quarantine"], Dropped), read_report(paths["report"])


def failed(report: Report) -> set[str]:
    """The expectations that are not met, each by its table and its name."""
    tables: dict[str, dict[str, Any]] = report.figures["expectations"]  # type: ignore[assignment]
    return {
        f"{table}.{name}"
        for table, found in tables.items()
        for name, told in found.items()
        if not told["passed"]
    }


def answer(example: Example, text: str) -> Example:
    """The example with another answer."""
    return replace(example, messages=(*example.messages[:-1], Message("assistant", text)))
