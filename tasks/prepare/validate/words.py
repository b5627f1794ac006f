"""What an expectation asks for, what was found and what is to be done, in words for people."""

from collections.abc import Mapping
from typing import Any

from tasks.pages.numbers import DASH, fine_percent, number
from tasks.prepare.validate.findings import Finding

# Where dvc.yaml has the stage write them. It is given others, which are moved at its end.
QUARANTINE = "data/clean/quarantine.parquet"
PROFILE = "data/clean/profile.json"
ACCEPTED = "data/accepted.json"
PAGE = "data/reports/validation.html"
LONGEST = 120  # characters of what comes from the data: an id, a source, what an error says


def expected(kind: str, arguments: Mapping[str, Any]) -> str:
    """The bound of an expectation of Great Expectations, by its type and its arguments."""
    if kind == "expect_column_values_to_be_unique":
        return "different in each row"
    if kind == "expect_column_values_to_not_be_null":
        return "a value in each row"
    if kind == "expect_column_values_to_match_regex":
        return f"the form `{arguments['regex']}`"
    if kind == "expect_column_values_to_be_in_set":
        values = arguments["value_set"]
        return "yes in each row" if values == [True] else f"one of {', '.join(map(str, values))}"
    low, high = (arguments.get(name) for name in ("min_value", "max_value"))
    if low is not None and high is not None:
        return f"{number(low)} to {number(high)}"
    return f"at least {number(low)}" if high is None else f"at most {number(high)}"


def seen(finding: Finding) -> str:
    """What was there: of the table, or of the rows that failed where they hold numbers."""
    if finding.error:
        return "could not run"
    if not finding.about_rows:
        return "no rows" if finding.observed is None else number(finding.observed)
    if finding.seen is None:
        return DASH
    low, high = map(number, finding.seen)
    return low if low == high else f"{low} to {high}"


def failing(finding: Finding) -> str:
    """How many rows fail, of how many, and their share; a dash for what judges no single row."""
    if finding.error or not finding.about_rows:
        return DASH
    told = f"{finding.failed:,} of {finding.judged:,}"
    return f"{told} ({fine_percent(finding.failed / finding.judged)})" if finding.failed else told


def advice(finding: Finding) -> str:
    """What follows from an expectation that was not met, and what to do."""
    setting = f", or change `{finding.key}` in params.yaml" if finding.key else ""
    setting = f"{setting}; {finding.remedy}" if finding.remedy else setting
    if finding.error:
        return "It says nothing of the rows. The gate lets none pass until it can run."
    if finding.severity == "warning":
        return (
            "Nothing is held back for it; the gate stops the chain only where `gate.allow_warnings` is "
            f"false. Mend the sources{setting}."
        )
    if not finding.about_rows:
        return f"The gate stops the chain. Mend the sources (`collect.sources`){setting}, and run again."
    return (
        f"Held back: `{QUARANTINE}` names each of them, with the reason `{finding.name}`. Mend them in their "
        f"source{setting}, and run again."
    )


def bounded(text: str) -> str:
    """`text` on one line, cut where it is very long."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}\u2026"
