"""Protects what the page shows of the data: the flow of rows, sums that add up, sources, groups, judges."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasks.rows.reports import Report, read_report, write_report
from tests.tasks.pages.checking import checked
from tests.tasks.release.report.conftest import make_page, write_reports

LINE = {
    "source": "sources/<faq>.jsonl",
    "kind": "example",
    "collected": 100,
    "outcomes": {"dropped": 10, "train": 70, "test": 20},
    "trained": 30,
    "tokens": 420,
    "reasons": {"clean": {"short": 10}, "sft": {"over sft.max_rows": 40}},
}
RATE = {"mean": 0.5, "low": 0.4, "high": 0.6}
FIGURES: dict[str, Any] = {
    "account": {"lines": [LINE], "faults": []},
    "groups": {
        "region": {
            "examples": [
                {
                    "group": "<b>north</b>",
                    "rows": 60,
                    "share": 0.6,
                    "question_words": 7.0,
                    "answer_words": 3.0,
                    "abstains": RATE,
                }
            ],
            "preferences": [],
            "wins": [],
            "scores": [{"group": "north", "rows": 30, "arms": {"sft": RATE, "base": None}}],
        }
    },
    "agreement": [
        {
            "source": "pairs",
            "kind": "preference",
            "people": 2,
            "judged": 40,
            "judged_by_several": 30,
            "agreement": 0.8,
            "alpha": 0.61,
            "kappas": [{"people": ["ada", "bob"], "judged": 30, "kappa": 0.6}],
            "by_person": {"ada": {"compared": 30, "agreement": 0.8}},
        }
    ],
}


def page(folder: Path, figures: dict[str, Any]) -> str:
    paths = write_reports(folder)
    told = {"names": ["faq"], "licences": {"": "CC0-1.0"}, "origin": "", "languages": []}
    collected = read_report(folder / "collect.json")
    sources = {"sources": [{"source": "file", "provenance": told}]}
    write_report(folder / "collect.json", replace(collected, figures=sources))
    write_report(folder / "card.json", Report(stage="card", figures=figures))
    return make_page(folder, [*paths, folder / "card.json"])


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> str:
    return page(tmp_path_factory.mktemp("account"), FIGURES)


def test_the_page_stays_whole_html_and_text_of_rows_stays_text(shown: str) -> None:
    checked(shown)
    assert "<b>north" not in shown
    assert "<faq>" not in shown


@pytest.mark.parametrize(
    "text",
    [
        'aria-label="100 examples were collected: ',
        '>trained on <tspan class="count">30</tspan>',
        "420 tokens",
        '>not drawn <tspan class="count">40</tspan>',
        "clean: short 10; sft: over sft.max_rows 40",
        "<td>CC0-1.0</td><td>unknown</td>",
        "region: examples",
        "0.50 (0.40 to 0.60)",
        "region: score in the ledger",
        "Krippendorff&#39;s alpha",
        "ada and bob",
    ],
)
def test_it_tells(shown: str, text: str) -> None:
    told = shown.replace('<td class="n">', "<td>").replace("\n", "")
    assert text in told


def test_sums_that_do_not_add_up_are_said_at_the_top_of_the_section(tmp_path: Path) -> None:
    account = {"lines": [LINE], "faults": ["the rows have 420 trained tokens, and sft reports 421"]}
    told = page(tmp_path, {**FIGURES, "account": account})
    assert "not balanced" in told
    assert "sft reports 421" in told
