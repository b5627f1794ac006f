"""Protects the last decision before training: which figures stop the chain, and what is then said."""

from pathlib import Path
from typing import Any

import pytest

from tasks.errors import GateError, SourceError
from tasks.prepare.gate import gate
from tasks.prepare.settings import GateSettings
from tasks.rows.reports import Report, read_report, write_report
from tests.tasks.rows.made import counted

SETTINGS = GateSettings(max_dropped=0.3, max_quarantined=0.05, allow_warnings=True)
KINDS = ("example", "preference", "document")


def expectation(**changes: Any) -> dict[str, Any]:
    met = {
        "about_rows": False,
        "description": "There are at least 50 examples.",
        "error": "",
        "failed_rows": 0,
        "key": "validate.min_examples",
        "observed": 100.0,
        "passed": True,
        "severity": "critical",
    }
    return {**met, **changes}


def decide(
    folder: Path,
    *,
    collect: dict[str, int] | None = None,
    clean: dict[str, int] | None = None,
    validate: dict[str, int] | None = None,
    settings: GateSettings = SETTINGS,
    **expectations: dict[str, Any],
) -> Report:
    """The verdict on 100 rows of each kind, of which so many examples met other outcomes."""
    entered = 100
    for stage, lost in (("collect", collect or {}), ("clean", clean or {}), ("validate", validate or {})):
        rows = []
        for kind in KINDS:
            outcomes = lost if kind == "example" else {}
            kept = entered - sum(outcomes.values())
            rows += counted(kind, "r", entered=entered, kept=kept) + counted(kind, "r", **outcomes)
        figures = {"expectations": {"example": {"enough": expectation(), **expectations}}}
        write_report(folder / stage, Report(stage=stage, rows=rows, figures=figures))
    gate(
        folder / "collect", folder / "clean", folder / "validate", verdict=folder / "gate", settings=settings
    )
    return read_report(folder / "gate")


def refusal(folder: Path, **given: Any) -> str:
    with pytest.raises(GateError) as caught:
        decide(folder, **given)
    assert caught.value.exit_code == 3
    verdict = read_report(folder / "gate").figures
    assert verdict["passed"] is False
    assert str(caught.value).count("\n  ") == sum(not check["passed"] for check in verdict["checks"]) + 1
    return str(caught.value)


def test_good_figures_pass_with_each_check_written_down(tmp_path: Path) -> None:
    figures = decide(
        tmp_path, collect={"dropped": 10}, clean={"dropped": 20}, validate={"quarantined": 5}
    ).figures
    assert figures["passed"] is True
    assert {
        "name": "share of examples dropped",
        "value": 0.3,
        "threshold": 0.3,
        "passed": True,
        "key": "gate.max_dropped",
    } in figures["checks"]


def test_too_many_dropped_rows_over_both_stages(tmp_path: Path) -> None:
    said = refusal(tmp_path, collect={"dropped": 20}, clean={"dropped": 11})
    assert "share of examples dropped: 0.31, allowed is 0.3 (gate.max_dropped in params.yaml)" in said
    assert str(tmp_path / "clean") in said


def test_too_many_quarantined_rows(tmp_path: Path) -> None:
    said = refusal(tmp_path, validate={"quarantined": 6})
    assert (
        "share of examples quarantined: 0.06, allowed is 0.05 (gate.max_quarantined in params.yaml)" in said
    )


def test_a_critical_expectation_about_a_table(tmp_path: Path) -> None:
    said = refusal(tmp_path, enough=expectation(passed=False, observed=7.0))
    assert "example enough: 7, allowed is There are at least 50 examples. (validate.min_examples" in said


def test_a_critical_expectation_about_rows_is_left_to_the_share_held_back(tmp_path: Path) -> None:
    assert decide(tmp_path, roles=expectation(passed=False, about_rows=True, observed=None)).figures["passed"]


def test_an_expectation_that_could_not_run(tmp_path: Path) -> None:
    said = refusal(tmp_path, roles=expectation(passed=False, about_rows=True, error="no column roles"))
    assert "example roles: no column roles, allowed is that it can be checked" in said


def test_warnings_stop_only_where_they_are_not_allowed(tmp_path: Path) -> None:
    warned = expectation(passed=False, severity="warning")
    assert decide(tmp_path, share=warned).figures["passed"]
    strict = SETTINGS.model_copy(update={"allow_warnings": False})
    said = refusal(tmp_path, share=warned, settings=strict)
    assert "warnings: example share, allowed is none (gate.allow_warnings in params.yaml)" in said


def test_rows_without_an_account(tmp_path: Path) -> None:
    said = refusal(tmp_path, clean={"in": 3})
    assert "rows without accounting in clean: example: 103 rows came in, 97 are accounted for" in said


def test_all_failed_checks_are_told_at_once(tmp_path: Path) -> None:
    said = refusal(tmp_path, clean={"dropped": 40}, validate={"quarantined": 50})
    assert "2 of 11 checks failed" in said


def test_a_missing_report_is_told(tmp_path: Path) -> None:
    path = tmp_path / "none"
    with pytest.raises(SourceError, match="cannot be read"):
        gate(path, path, path, verdict=tmp_path / "gate", settings=SETTINGS)
