"""Findings for tests, which name only what they are about."""

from dataclasses import replace
from typing import Any

from tasks.prepare.validate.findings import Finding
from tasks.prepare.validate_settings import DriftSettings

DRIFT = DriftSettings(warning=0.1, critical=0.25, creep=0.1, min_rows=0.5, accept=None)
LONG = "<script>alert(1)</script>" + "x" * 400


def finding(**changed: Any) -> Finding:
    """A critical expectation about rows that two of 200 failed; `changed` are other fields of it."""
    found = Finding(
        table="example",
        name="answer_length",
        description="An answer has at most 10 words.",
        column="answer_words",
        expected="at most 10",
        severity="critical",
        about_rows=True,
        passed=False,
        judged=200,
        failed=2,
        examples=(("q1", "test"), ("q2", "test")),
        seen=(11.0, 412.0),
        observed=None,
        key="validate.max_answer_words",
        error="",
    )
    return replace(found, **changed)
