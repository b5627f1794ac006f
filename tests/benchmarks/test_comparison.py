"""Protects the committed page of the lab: every method and claim is in it, with as many cells as headings."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.comparison import HEAD, METHODS, main, page, picture
from benchmarks.places import changed
from deploy.atomic import write_json
from tasks.lab.compare.claims import CLAIMS, judge
from tasks.lab.compare.figures import rows_of
from tasks.settings import load_settings
from tests.conftest import ROOT

SETTINGS = load_settings(ROOT / "params.yaml").compare


def told(method: str, score: float) -> dict[str, object]:
    return {
        "method": method,
        "seed": 1,
        "scores": [score, score],
        "abstained": [False, True],
        "answerable": [True, False],
        "retention": 0.9,
        "base_ms": 20.0,
        "served_ms": None,
        "attached_ms": None,
    }


def test_the_page_has_every_row_and_claim() -> None:
    rows = rows_of([told("none", 0.1), told("full", 0.5), told("curated", 0.4)], seed=1)
    text = page(rows, judge(rows), SETTINGS, "threeply compare", "comparison.svg")
    table = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(table) == 1 + len(rows) + 1 + len(CLAIMS)
    assert {line.count("|") for line in table[: 1 + len(rows)]} == {HEAD.count("|") + 2}
    assert "- `curated`: lora; max_rows: 10" in text


def test_the_picture_is_a_file_of_its_own_without_variants() -> None:
    full = told("full", 0.5) | {"peak_mib": 900}
    drawn = picture(rows_of([told("none", 0.1), full, told("noisy", 0.4)], seed=1), SETTINGS)
    assert ElementTree.fromstring(drawn).tag == "{http://www.w3.org/2000/svg}svg"
    assert ("full" in drawn, "noisy" in drawn) == (True, False)
    assert "share of the weights" not in drawn, "none is known"


def test_a_run_in_a_place_of_its_own_has_a_page_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    params = (ROOT / "params.yaml").read_text(encoding="utf-8")
    (tmp_path / "params.yaml").write_text(changed(params, {"compare": {"questions": 7}}), encoding="utf-8")
    told_of = {
        row.method: {name: value for name, value in asdict(row).items() if name != "method"}
        for row in rows_of([told("none", 0.1), told("full", 0.5) | {"peak_mib": 900}], seed=1)
    }
    write_json(tmp_path / METHODS, told_of)
    page_of = tmp_path / "json/page.md"
    words = [
        "comparison",
        "--place",
        str(tmp_path),
        "--page",
        str(page_of),
        "--command",
        "threeply compare X",
    ]
    monkeypatch.setattr(sys, "argv", words)
    assert main() == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["scores"] == {"none": 0.1, "full": 0.5}
    text = page_of.read_text(encoding="utf-8")
    assert "`threeply compare X` with the params.yaml" in text
    assert "7 questions of the test split" in text
    assert "](page.svg)" in text
    assert page_of.with_suffix(".svg").read_text(encoding="utf-8").startswith("<svg")
