"""Protects the last decision before training: which figures stop the chain, and what is then said."""

from pathlib import Path
from typing import Any

import pytest

from tasks.errors import GateError, SourceError
from tasks.prepare.gate import gate
from tasks.prepare.validate_settings import GateSettings
from tasks.rows.reports import Report, read_report, write_report
from tests.tasks.rows.made import counted

SETTINGS = GateSettings(max_dropped=0.3, max_missing_evidence=0.05, max_quarantined=0.05, allow_warnings=True)
KINDS = ("example", "preference", "document")


def expectation(**changes: Any) -> dict[str, Any]:
    met = {
        "about_rows": False,
        "advice": "",
        "description": "There are at least 50 examples.",
        "detail": "",
        "error": "",
        "examples": [],
        "expected": "at least 50",
        "failed_rows": 0,
        "judged_rows": 100,
        "key": "validate.min_examples",
        "more_examples": 0,
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
    reason: str = "r",
    **expectations: dict[str, Any],
) -> Report:
    """The verdict on 100 rows of each kind, of which so many examples met other outcomes."""
    entered = 100
    for stage, lost in (("collect", collect or {}), ("clean", clean or {}), ("validate", validate or {})):
        rows = []
        for kind in KINDS:
            outcomes = lost if kind == "example" else {}
            kept = entered - sum(outcomes.values())
            rows += counted(kind, "r", entered=entered, kept=kept) + counted(kind, reason, **outcomes)
        figures = {"expectations": {"example": {"enough": expectation(), **expectations}}}
        write_report(folder / stage, Report(stage=stage, rows=rows, figures=figures))
    (folder / "profile.json").write_text("today's")
    gate(
        *(folder / name for name in ("collect", "clean", "validate", "profile.json")),
        accepted=folder / "accepted.json",
        verdict=folder / "gate",
        settings=settings,
    )
    return read_report(folder / "gate")


def refusal(folder: Path, **given: Any) -> str:
    with pytest.raises(GateError) as caught:
        decide(folder, **given)
    assert caught.value.exit_code == 3
    verdict = read_report(folder / "gate").figures
    assert verdict["passed"] is False
    lines = str(caught.value).splitlines()[1:-1]
    failed = [check for check in verdict["checks"] if not check["passed"]]
    assert len(lines) == sum(1 + len(check["details"]) for check in failed)
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
        "details": [],
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
    assert "example enough: 7, allowed is at least 50 (validate.min_examples in params.yaml)\n" in said


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
    assert "2 of 13 checks failed" in said


def test_rows_held_back_are_told_by_expectation_with_examples_and_what_to_do(tmp_path: Path) -> None:
    fails = expectation(
        about_rows=True,
        advice="Mend them.",
        description="No turn is empty.",
        examples=[{"id": "q1", "source": "a.jsonl"}, {"id": " ", "source": "b.jsonl"}],
        failed_rows=6,
        more_examples=4,
        observed=None,
        passed=False,
    )
    light = fails | {"severity": "warning", "description": "Not told here."}
    said = refusal(tmp_path, validate={"quarantined": 6}, spoken=fails, quote_stands=light)
    assert "    spoken: No turn is empty.\n" in said
    assert "6 of 100 rows fail it: q1 (a.jsonl), a row without an id (b.jsonl), and 4 more\n" in said
    assert "Mend them.\n" in said
    assert "Not told here" not in said


def test_what_has_drifted_is_told_with_what_changed_and_how_to_accept_it(tmp_path: Path) -> None:
    shifted = expectation(
        passed=False,
        observed=0.6,
        key="validate.drift.critical",
        description="The sources have their shares.",
        expected="at most 0.25",
        detail="a.jsonl 30 % then, 2 % now",
        advice="The gate stops the chain. Or accept it.",
    )
    said = refusal(tmp_path, source_drift=shifted)
    assert "example source_drift: 0.6, allowed is at most 0.25 (validate.drift.critical in params" in said
    assert "    The sources have their shares.\n" in said
    assert "a.jsonl 30 % then, 2 % now\n" in said
    assert "Or accept it." in said


def test_what_clean_dropped_is_told_by_reason(tmp_path: Path) -> None:
    said = refusal(tmp_path, clean={"dropped": 40})
    assert "    clean, r: 40 of 100\n" in said


def test_rows_without_their_evidence_have_a_bound_of_their_own(tmp_path: Path) -> None:
    said = refusal(tmp_path, clean={"dropped": 6}, reason="missing_evidence")
    assert "share of examples without their evidence: 0.06, allowed is 0.05 (gate.max_missing_ev" in said
    assert "6 of 100 name documents that no source has" in said


def test_rows_without_a_profile_are_told(tmp_path: Path) -> None:
    decide(tmp_path)
    told = [tmp_path / name for name in ("collect", "clean", "validate", "none.json")]
    with pytest.raises(SourceError, match=r"none\.json is not there; run dvc repro"):
        gate(*told, accepted=tmp_path / "a", verdict=tmp_path / "gate", settings=SETTINGS)


def test_the_profile_of_rows_that_pass_is_kept_and_stays_until_others_do(tmp_path: Path) -> None:
    refusal(tmp_path, validate={"quarantined": 6})
    assert not (tmp_path / "accepted.json").exists()
    decide(tmp_path)
    assert (tmp_path / "accepted.json").read_text() == "today's"
    (tmp_path / "accepted.json").write_text("that of before")
    refusal(tmp_path, validate={"quarantined": 6})
    assert (tmp_path / "accepted.json").read_text() == "that of before"


def test_a_missing_report_is_told(tmp_path: Path) -> None:
    path = tmp_path / "none"
    with pytest.raises(SourceError, match="cannot be read"):
        gate(path, path, path, path, accepted=path, verdict=tmp_path / "gate", settings=SETTINGS)
