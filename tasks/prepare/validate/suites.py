"""Runs the three suites in Great Expectations; nothing of it stays but what it found."""

import math
from collections.abc import Iterable
from numbers import Real
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tasks.prepare.validate import documents, drift, examples, preferences
from tasks.prepare.validate.between import Between
from tasks.prepare.validate.drift import NOTHING, Comparison
from tasks.prepare.validate.expect import Columns
from tasks.prepare.validate.findings import Finding
from tasks.prepare.validate.words import expected
from tasks.prepare.validate_settings import ValidateSettings
from tasks.rows.records import RowKind, Rows

if TYPE_CHECKING:
    import pandas as pd

SUITES: dict[RowKind, ModuleType] = {"example": examples, "preference": preferences, "document": documents}


def check(rows: Rows, settings: ValidateSettings, comparison: Comparison = NOTHING) -> list[Finding]:
    """What comes of each expectation, in the order of the suites.

    After those of its rows each table has those of `comparison`: what differs from the rows accepted last.
    """
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_pandas("rows")
    between = Between.of(rows)
    findings: list[Finding] = []
    for table, module in SUITES.items():
        count = len(rows.by_kind()[table])
        lines = frame(rows, table, between)
        findings += _judged(source, table, lines, module.expectations(settings), settings, count)
        if shifts := drift.expectations(comparison, table):
            lines = drift.frame(comparison, table)
            findings += _judged(source, table, lines, shifts, settings, count)
    return findings


def _judged(
    source: Any,
    table: RowKind,
    lines: "pd.DataFrame",
    expectations: list[Any],
    settings: ValidateSettings,
    count: int,
) -> list[Finding]:
    """What comes of `expectations` about the lines of a table of `count` rows.

    The batch validates, and not a validation definition, which would copy each row that fails three times for
    a store that nobody reads. Rows come by their place: by their id each would cost a look-up in pandas.
    """
    import great_expectations as gx

    for each in expectations:
        each.severity = settings.severity.get(each.meta["name"], each.severity)
    name = f"{table} {len(source.assets)}"
    batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("all")
    suite = gx.ExpectationSuite(name, expectations=expectations)
    result = batch.get_batch({"dataframe": lines}).validate(
        suite, result_format={"result_format": "COMPLETE"}
    )
    told = {each.expectation_config.meta["name"]: each for each in result.results}
    return [finding(table, told[each.meta["name"]], lines, judged=count) for each in suite.expectations]


def frame(rows: Rows, table: RowKind, between: Between) -> "pd.DataFrame":
    """One line a row: its id and what is judged, but none of its text, which may be personal."""
    import pandas as pd

    columns: Columns = SUITES[table].COLUMNS
    part = rows.by_kind()[table]
    return pd.DataFrame(
        {
            name: pd.Series([judge(row, between) for row in part], dtype=kind)
            for name, (kind, judge) in columns.items()
        }
    )


def finding(table: RowKind, result: Any, lines: "pd.DataFrame", *, judged: int) -> Finding:
    """A result of Great Expectations on `lines`, which tell of `judged` rows, as a finding."""
    config = result.expectation_config
    observed = _number(result.result.get("observed_value"))
    error = _error(result.exception_info)
    about_rows = config.type.startswith("expect_column_values")
    # Of no rows there is no mean and no greatest value, and none is out of bounds.
    idle = not (judged or about_rows or error) and observed is None
    failed = result.result.get("unexpected_index_list") or ()
    return Finding(
        table=table,
        name=config.meta["name"],
        description=config.description,
        column=config.kwargs.get("column", ""),
        expected=expected(config.type, config.kwargs),
        severity=config.severity.value,
        about_rows=about_rows,
        passed=bool(result.success) or idle,
        judged=judged,
        rows=tuple(lines["id"].take(failed)) if failed else (),
        seen=_span(result.result.get("unexpected_list") or ()),
        key=config.meta["key"],
        detail=config.meta["detail"],
        remedy=config.meta["remedy"],
        observed=observed,
        error=error,
    )


def _number(value: Any) -> float | None:
    return None if value is None or math.isnan(value) else float(value)  # the mean of no rows


def _span(values: Iterable[Any]) -> tuple[float, float] | None:
    """The least and the greatest of the numbers among `values`; text and yes or no tell none."""
    numbers = [
        float(value)
        for value in values
        if not isinstance(value, bool) and isinstance(value, Real) and not math.isnan(value)
    ]
    return (min(numbers), max(numbers)) if numbers else None


def _error(info: dict[str, Any]) -> str:
    """Why an expectation could not run: told flat, or below the id of each metric that failed."""
    entries = [info] if "raised_exception" in info else list(info.values())
    said = [str(entry["exception_message"]) for entry in entries if entry.get("raised_exception")]
    return "; ".join(dict.fromkeys(said))
