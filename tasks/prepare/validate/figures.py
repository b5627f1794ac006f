"""The figures of the report, from which the gate decides and takes its words."""

from collections.abc import Sequence
from typing import Any

from tasks.prepare.validate.drift import Comparison
from tasks.prepare.validate.findings import Finding
from tasks.prepare.validate.words import advice, bounded


def figures(findings: Sequence[Finding], comparison: Comparison) -> dict[str, Any]:
    """Each expectation by table and name. Of rows that fail stand ids and sources, as in the quarantine."""
    result: dict[str, dict[str, Any]] = {}
    for finding in findings:
        result.setdefault(finding.table, {})[finding.name] = {
            "about_rows": finding.about_rows,
            "advice": "" if finding.passed else advice(finding),
            "description": finding.description,
            "detail": finding.detail,
            "error": finding.error,
            "expected": finding.expected,
            "examples": [
                {"id": bounded(name), "source": bounded(source)} for name, source in finding.examples
            ],
            "failed_rows": finding.failed,
            "judged_rows": finding.judged,
            "key": finding.key,
            "more_examples": finding.more,
            "observed": finding.observed,
            "passed": finding.passed,
            "severity": finding.severity,
        }
    return {
        "compared": comparison.told,
        "expectations": result,
        "fingerprint": comparison.fingerprint,
        "met": sum(f.passed for f in findings),
        "of": len(findings),
    }
