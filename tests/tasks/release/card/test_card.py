"""Protects the data card: every row in one table, unknown said as unknown, no names of those who judged."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tasks.prepare.tracing.balance import total
from tasks.release.account import read_account
from tasks.release.card.markdown import cell
from tasks.rows.learned import LEARNED
from tasks.rows.reports import read_report
from tests.tasks.release.card.made import FAQ, PAIRS, SET, SETTINGS, run_card

pytestmark = pytest.mark.filterwarnings(r"ignore:module 'sre_\w+' is deprecated:DeprecationWarning")


@pytest.fixture
def told(carded: Path) -> str:
    return (carded / "data/card.md").read_text(encoding="utf-8")


def test_the_account_adds_up_from_collected_rows_to_trained_tokens(carded: Path) -> None:
    found = read_account(read_report(carded / "data/reports/card.json").figures["account"])
    assert found.faults == ()
    for line in found.lines:
        assert line.collected == line.outcomes.total(), line
        if line.trained is not None:
            untrained = sum(count for (stage, _), count in line.reasons.items() if stage == "sft")
            assert line.outcomes["train"] == line.trained + untrained
    whole = total(found.lines, "example")
    assert (whole.collected, whole.outcomes["dropped"]) == (66, 2)
    tuned = read_report(carded / "data/reports/sft.json").figures
    assert whole.tokens == tuned["answer_tokens"]


def test_stages_of_different_runs_are_told_in_the_card(carded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(carded)
    table = carded / "data/models/sft" / LEARNED
    whole = table.read_bytes()
    report = carded / "data/reports/sft.json"
    text = report.read_text(encoding="utf-8")
    try:
        report.write_text(text.replace("answer_tokens", "other"), encoding="utf-8")
        assert run_card(Path()).figures["account"]["faults"] == []  # nothing to compare with
        report.write_text(text.replace('"answer_tokens": ', '"answer_tokens": 1'), encoding="utf-8")
        (said,) = run_card(Path()).figures["account"]["faults"]
        assert "trained tokens, and sft reports" in said
        assert "The sums do not add up" in (carded / "data/card.md").read_text(encoding="utf-8")
    finally:
        report.write_text(text, encoding="utf-8")
        table.write_bytes(whole)
        run_card(Path())


def test_what_cleaning_found_is_told_without_pages_of_quantiles(told: str) -> None:
    assert "## What cleaning found" in told
    assert "signals" not in told


def test_the_front_matter_is_what_the_hub_reads(told: str) -> None:
    front = YAML(typ="safe", pure=True).load(told.split("---\n")[1])
    assert front["license"] == "unknown"  # one source does not tell
    assert front["language"] == ["de", "en"]
    assert front["size_categories"] == ["n<1K"]


def test_sources_say_what_is_known_of_them_and_that_the_rest_is_unknown(told: str) -> None:
    assert f"| {FAQ} | file | our \\| desk | CC0-1.0 | unknown |" in told
    assert f"| {PAIRS} | file | unknown | unknown | unknown |" in told
    assert f"| {SET} | dataset | https://example.org/set | cc-by-4.0 | de, en |" in told


def test_what_was_dropped_is_told_with_stage_and_reason(told: str) -> None:
    assert f"| {FAQ} | examples | collect | broken json | 1 |" in told
    assert f"| {PAIRS} | preferences | clean | conflict | 20 |" in told


def test_people_who_judged_are_not_named_in_what_is_shipped(told: str) -> None:
    assert "| 2 | 30 | 30 | 67 % |" in told
    assert {"ada", "bob"}.isdisjoint(re.findall(r"\w+", told))


def test_text_of_a_source_cannot_break_the_card() -> None:
    assert cell("a|b\n# c <script>") == "a\\|b # c &lt;script&gt;"
    assert cell("[x](y) *z*") == "\\[x\\](y) \\*z\\*"


def test_a_column_that_no_source_keeps_is_told(
    carded: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(carded)
    try:
        run_card(Path(), SETTINGS.model_copy(update={"groups": ["regoin"]}))
        assert "no row has the column 'regoin' of card.groups" in capsys.readouterr().out
        assert "No row tells of it." in (carded / "data/card.md").read_text(encoding="utf-8")
    finally:
        run_card(Path())


def test_groups_too_small_have_counts_and_no_rates(told: str) -> None:
    assert "| north | 40 | 62 % | 8 | 1 | 0.00 (0.00 to 0.09) |" in told
    assert "| south | 3 | 5 % | \u2013 | \u2013 | \u2013 |" in told
