"""Stage `gate`: decides from the reports whether the rows may go on to training."""

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deploy.atomic import replacing
from tasks.errors import GateError, SourceError
from tasks.pages.numbers import spelled
from tasks.prepare.validate_settings import GateSettings
from tasks.rows.reports import Report, outcomes, read_report, unbalanced, write_report

KINDS = ("example", "preference", "document")
REASONS = 5  # why rows were dropped, the most frequent first
NO_EVIDENCE = "missing_evidence"  # as clean calls it


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that the gate looked at; `key` is the setting that holds the threshold, if one does.

    `details` are lines for whoever has to mend the data: which rows, of how many, and what to do. Where the
    check passed there are none.
    """

    name: str
    value: float | str
    threshold: float | str
    passed: bool
    key: str
    details: tuple[str, ...] = ()

    def told(self) -> str:
        """The check in words."""
        where = f" ({self.key} in params.yaml)" if self.key else ""
        return f"{self.name}: {spelled(self.value)}, allowed is {spelled(self.threshold)}{where}"


def gate(
    collect: Path,
    clean: Path,
    validate: Path,
    profile: Path,
    *,
    accepted: Path,
    verdict: Path,
    settings: GateSettings,
) -> None:
    """Write each check with its value and threshold, and keep the profile of rows that pass as `accepted`.

    Raises:
        GateError: a check did not pass; the message says what fails, which rows, and what to do.
        SourceError: one of the files is missing or damaged.
    """
    collected, cleaned, validated = (read_report(path) for path in (collect, clean, validate))
    checks = judged(collected, cleaned, validated, settings)
    failed = [check for check in checks if not check.passed]
    figures = {"passed": not failed, "checks": [asdict(check) for check in checks]}
    write_report(verdict, Report(stage="gate", figures=figures))
    print(f"gate: {len(checks) - len(failed)} of {len(checks)} checks passed")
    if failed:
        head = f"the gate lets no rows pass: {len(failed)} of {len(checks)} checks failed"
        reasons = f"all of it stands in {collect}, {clean} and {validate}; mend the data and run again"
        raise GateError("\n  ".join([head, *explained(failed), reasons]))
    if not profile.is_file():
        raise SourceError(f"{profile} is not there; run dvc repro")
    with replacing(accepted) as partial:
        shutil.copyfile(profile, partial)


def explained(failed: Iterable[Check]) -> Iterator[str]:
    """The lines about checks that did not pass: each check, and its details further in."""
    for check in failed:
        yield check.told()
        yield from (f"  {line}" for line in check.details)


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
        reasons: Counter[str] = Counter()
        for report in (collected, cleaned):
            for row in report.rows:
                if (row.kind, row.outcome) == (kind, "dropped"):
                    reasons[f"{report.stage}, {row.reason}"] += row.count
        told = [f"{reason}: {count:,} of {entered:,}" for reason, count in reasons.most_common(REASONS)]
        details = (*told, "threeply rows lists them; threeply gate FILE shows the first of a file")
        lost, limit = reasons.total(), settings.max_dropped
        yield _share(f"share of {kind}s dropped", lost, entered, limit, "gate.max_dropped", details)
        if kind != "document":
            key, limit = "gate.max_missing_evidence", settings.max_missing_evidence
            lost = reasons[f"clean, {NO_EVIDENCE}"]
            lacking = (f"{lost:,} of {entered:,} name documents that no source has; collect those as well",)
            yield _share(f"share of {kind}s without their evidence", lost, entered, limit, key, lacking)


def _quarantined(validated: Report, settings: GateSettings) -> Iterator[Check]:
    for kind in KINDS:
        entered = outcomes(validated.rows)[kind]["in"]
        held = outcomes(validated.rows)[kind]["quarantined"]
        limit = settings.max_quarantined
        details: list[str] = []
        for name, told in sorted(validated.figures["expectations"].get(kind, {}).items()):
            if told["about_rows"] and told["severity"] == "critical" and not told["passed"]:
                details += [f"{name}: {told['description']}", *_told(told)]
        yield _share(f"share of {kind}s quarantined", held, entered, limit, "gate.max_quarantined", details)


def _expectations(validated: Report, settings: GateSettings) -> Iterator[Check]:
    """Critical expectations about whole tables, expectations that could not run, and warnings.

    Critical ones about rows have put those rows into quarantine, whose share has been checked.
    """
    warnings: list[str] = []
    details: list[str] = []
    for table, expectations in sorted(validated.figures["expectations"].items()):
        for name, told in sorted(expectations.items()):
            if told["error"]:
                ran = "that it can be checked"
                yield Check(name=f"{table} {name}", value=told["error"], threshold=ran, passed=False, key="")
            elif told["severity"] == "warning":
                if not told["passed"]:
                    warnings.append(f"{table} {name}")
                    details += [f"{table} {name}: {told['description']}", *_told(told)]
            elif not told["about_rows"]:
                yield Check(
                    name=f"{table} {name}",
                    value="no rows" if told["observed"] is None else told["observed"],
                    threshold=told["expected"],
                    passed=told["passed"],
                    key=told["key"],
                    details=() if told["passed"] else (told["description"], *_told(told)),
                )
    passed = settings.allow_warnings or not warnings
    yield Check(
        name="warnings",
        value=", ".join(warnings) or "none",
        threshold="any" if settings.allow_warnings else "none",
        passed=passed,
        key="gate.allow_warnings",
        details=() if passed else tuple(details),
    )


def _told(told: Mapping[str, Any]) -> Iterator[str]:
    """What validate has written of an expectation that was not met: how many rows, which, and what to do."""
    if told["about_rows"]:
        yield f"  {told['failed_rows']:,} of {told['judged_rows']:,} rows fail it: {_some(told)}"
    yield from (f"  {told[name]}" for name in ("detail", "advice") if told[name])


def _some(told: Mapping[str, Any]) -> str:
    rows = [f"{row['id'].strip() or 'a row without an id'} ({row['source']})" for row in told["examples"]]
    return ", ".join([*rows, *([f"and {told['more_examples']:,} more"] if told["more_examples"] else [])])


def _share(name: str, part: int, whole: int, limit: float, key: str, details: Iterable[str]) -> Check:
    share = part / whole if whole else 0.0
    passed = share <= limit
    told = () if passed else tuple(details)
    return Check(name=name, value=round(share, 6), threshold=limit, passed=passed, key=key, details=told)
