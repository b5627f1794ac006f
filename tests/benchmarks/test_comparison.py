"""Protects the committed page of the lab: every method and claim is in it, with as many cells as headings."""

from xml.etree import ElementTree

from benchmarks.comparison import HEAD, page, picture
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
    text = page(rows, judge(rows), SETTINGS)
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
