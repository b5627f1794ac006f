"""Stage `gate`: decides from the reports whether the rows may go on to training."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from tasks.errors import GateError
from tasks.pages.numbers import spelled
from tasks.prepare.settings import GateSettings
from tasks.rows.reports import Report, outcomes, read_report, unbalanced, write_report

KINDS = ("example", "preference", "document")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that the gate looked at; `key` is the setting that holds the threshold, if one does."""

    name: str
    value: float | str
    threshold: float | str
    passed: bool
    key: str

    def told(self) -> str:
        """The check in words, for whoever has to mend the data."""
        where = f" ({self.key} in params.yaml)" if self.key else ""
        return f"{self.name}: {spelled(self.value)}, allowed is {spelled(self.threshold)}{where}"


def gate(collect: Path, clean: Path, validate: Path, *, verdict: Path, settings: GateSettings) -> None:
    """Write each check with its value and threshold.

    Raises:
        GateError: a check did not pass; the message has a line for each that did not.
    """
    collected, cleaned, validated = (read_report(path) for path in (collect, clean, validate))
    checks = judged(collected, cleaned, validated, settings)
    failed = [check for check in checks if not check.passed]
    figures = {"passed": not failed, "checks": [asdict(check) for check in checks]}
    write_report(verdict, Report(stage="gate", figures=figures))
    print(f"gate: {len(checks) - len(failed)} of {len(checks)} checks passed")
    if failed:
        lines = [check.told() for check in failed]
        head = f"the gate lets no rows pass: {len(failed)} of {len(checks)} checks failed"
        reasons = f"see which rows and why in {collect}, {clean} and {validate}, mend the data and run again"
        raise GateError("\n  ".join([head, *lines, reasons]))


def judged(collected: Report, cleaned: Report, validated: Report, settings: GateSettings) -> list[Check]:
    """Each thing that the gate looks at in the reports of the stages before it."""
    return [
        *_balanced(collected, cleaned, validated),
        *_dropped(collected, cleaned, settings),
        *_quarantined(validated, settings),
        *_expectations(validated, settings),
    ]


def _balanced(*reports: Report) -> Iterator[Check]:
    for report in reports:
        wrong = unbalanced(report.rows)
        yield Check(
            name=f"rows without accounting in {report.stage}",
            value="; ".join(wrong) or 0,
            threshold=0,
            passed=not wrong,
            key="",
        )


def _dropped(collected: Report, cleaned: Report, settings: GateSettings) -> Iterator[Check]:
    for kind in KINDS:
        entered = outcomes(collected.rows)[kind]["in"]
        lost = outcomes(collected.rows)[kind]["dropped"] + outcomes(cleaned.rows)[kind]["dropped"]
        yield _share(f"share of {kind}s dropped", lost, entered, settings.max_dropped, "gate.max_dropped")


def _quarantined(validated: Report, settings: GateSettings) -> Iterator[Check]:
    for kind in KINDS:
        entered = outcomes(validated.rows)[kind]["in"]
        held = outcomes(validated.rows)[kind]["quarantined"]
        limit = settings.max_quarantined
        yield _share(f"share of {kind}s quarantined", held, entered, limit, "gate.max_quarantined")


def _expectations(validated: Report, settings: GateSettings) -> Iterator[Check]:
    """Critical expectations about whole tables, expectations that could not run, and warnings.

    Critical ones about rows have put those rows into quarantine, whose share has been checked.
    """
    warnings = []
    for table, expectations in sorted(validated.figures["expectations"].items()):
        for name, told in sorted(expectations.items()):
            if told["error"]:
                ran = "that it can be checked"
                yield Check(name=f"{table} {name}", value=told["error"], threshold=ran, passed=False, key="")
            elif told["severity"] == "warning":
                warnings += [] if told["passed"] else [f"{table} {name}"]
            elif not told["about_rows"]:
                yield Check(
                    name=f"{table} {name}",
                    value="no rows" if told["observed"] is None else told["observed"],
                    threshold=told["description"],
                    passed=told["passed"],
                    key=told["key"],
                )
    yield Check(
        name="warnings",
        value=", ".join(warnings) or "none",
        threshold="any" if settings.allow_warnings else "none",
        passed=settings.allow_warnings or not warnings,
        key="gate.allow_warnings",
    )


def _share(name: str, part: int, whole: int, limit: float, key: str) -> Check:
    share = part / whole if whole else 0.0
    return Check(name=name, value=round(share, 6), threshold=limit, passed=share <= limit, key=key)
