"""Protects the stage: what it writes, counts and prints, and that its page shows no text of rows."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.rows.reports import unbalanced
from tasks.rows.tables import write_rows
from tests.conftest import ROOT
from tests.tasks.pages.checking import checked
from tests.tasks.prepare.validate.judging import (
    ABSENT,
    EXAMPLE,
    GOOD,
    SETTINGS,
    answer,
    failed,
    judge,
)
from tests.tasks.rows.made import rows

# Great Expectations still uses what Python and pandas have announced to drop.
pytestmark = pytest.mark.filterwarnings(r"ignore:module 'sre_\w+' is deprecated:DeprecationWarning")


def test_good_rows_pass_and_nothing_is_left_beside_the_outputs(tmp_path: Path) -> None:
    held, report = judge(GOOD, tmp_path)
    assert held == []
    assert failed(report) == set()
    assert unbalanced(report.rows) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "page.html",
        "profile.json",
        "quarantine.parquet",
        "rows",
        "validate.json",
    ]


def test_the_figures_name_five_rows_by_id_and_source_and_say_what_to_do(tmp_path: Path) -> None:
    bad = [replace(EXAMPLE, id=f"bad {n}", source="mine.jsonl", quote="C=2.0") for n in range(7)]
    _, report = judge(replace(GOOD, examples=(*GOOD.examples, *bad)), tmp_path)
    told = report.figures["expectations"]["example"]["quote_stands"]
    assert (told["failed_rows"], told["judged_rows"], told["more_examples"]) == (7, 9, 2)
    assert told["examples"] == [{"id": f"bad {n}", "source": "mine.jsonl"} for n in range(5)]
    assert "`data/clean/quarantine.parquet` names each of them" in told["advice"]


def test_a_row_with_several_faults_is_held_back_once_with_all_reasons(tmp_path: Path) -> None:
    bad = replace(answer(EXAMPLE, "word " * 11), id="bad", group="", evidence=("d9",), quote="")
    held, report = judge(replace(GOOD, examples=(*GOOD.examples, bad)), tmp_path)
    assert [row.reason for row in held] == ["grouped, answer_length, evidence_known"]
    assert [row.count for row in report.rows if row.outcome == "quarantined"] == [1]


def test_rows_that_share_an_id_are_all_counted(tmp_path: Path) -> None:
    held, report = judge(replace(GOOD, examples=(EXAMPLE, EXAMPLE, ABSENT)), tmp_path)
    assert [row.id for row in held] == ["e1"]
    assert [row.count for row in report.rows if row.outcome == "quarantined"] == [2]
    assert unbalanced(report.rows) == []


def test_tables_without_rows_can_be_judged(tmp_path: Path) -> None:
    none = SETTINGS.model_copy(update={"min_examples": 0, "min_documents": 0})
    held, report = judge(rows(), tmp_path, none)
    assert held == []
    assert failed(report) == set()
    assert "NaN" not in (tmp_path / "validate.json").read_text()


def test_the_page_tells_what_failed_but_no_text_of_the_rows(tmp_path: Path) -> None:
    secret = "jane.doe@example.org"
    bad = replace(answer(EXAMPLE, f"{secret} " * 11), id="<b>bad</b>")
    judge(replace(GOOD, examples=(*GOOD.examples, bad)), tmp_path)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    checked(page)
    for text in (
        "<h3>An answer has at most 10 words.</h3>",
        "<dd>at most 10</dd>",
        "<dd>11</dd>",
        "<dd>1 of 3 (33 %)</dd>",
        "<code>&lt;b&gt;bad&lt;/b&gt;</code>",
    ):
        assert text in page
    assert "<b>bad" not in page
    assert secret not in page
    assert secret not in (tmp_path / "validate.json").read_text()


def test_the_stage_is_quiet_and_ends_well_whatever_it_finds(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows", rows())
    root = ROOT
    words = [
        "--params",
        str(root / "params.yaml"),
        "validate",
        "rows",
        "none.json",
        "--quarantine",
        "q.parquet",
    ]
    words += ["--profile", "profile.json"]
    done = subprocess.run(
        [sys.executable, "-m", "tasks", *words, "--page", "page.html", "--report", "report.json"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "critical: example: There are at least" in done.stdout
    assert "data/reports/validation.html shows what to do" in done.stdout
    assert "partial" not in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "report.json").read_text())["stage"] == "validate"
    assert list((tmp_path / ".threeply/work").iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".threeply",
        "data",
        "page.html",
        "profile.json",
        "q.parquet",
        "report.json",
        "rows",
    ]
