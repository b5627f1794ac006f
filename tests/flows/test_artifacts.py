"""Protects what Prefect shows of the gate: one line a check, with what it found and what is allowed."""

from dataclasses import asdict

from flows.artifacts import gate_table
from tasks.prepare.gate import Check
from tasks.rows.reports import Report


def test_each_check_of_the_gate_is_a_line() -> None:
    checks = [
        Check(
            name="share of examples dropped", value=0.5, threshold=0.3, passed=False, key="gate.max_dropped"
        ),
        Check(name="warnings", value="none", threshold="any", passed=True, key="gate.allow_warnings"),
    ]
    report = Report(stage="gate", figures={"passed": False, "checks": [asdict(check) for check in checks]})
    first, second = gate_table(report)
    assert first == {
        "check": "share of examples dropped",
        "found": "0.5",
        "allowed": "0.3",
        "setting": "gate.max_dropped",
        "passed": "no",
    }
    assert (second["found"], second["passed"]) == ("none", "yes")
