"""Runs the three suites in Great Expectations; nothing of it stays but what it found."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.machine.executors import Executor, InProcess
from tasks.prepare.validate import drift
from tasks.prepare.validate.drift import NOTHING, Comparison
from tasks.prepare.validate.findings import Finding, named
from tasks.prepare.validate.frames import SUITES, frames
from tasks.prepare.validate.quarantine import Quarantine
from tasks.prepare.validate.tables import Tables
from tasks.prepare.validate.words import expected
from tasks.prepare.validate_settings import ValidateSettings
from tasks.rows.records import RowKind

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of each expectation, in the order of the suites, and which rows are held back."""

    findings: tuple[Finding, ...]
    quarantine: Quarantine


def check(
    tables: Tables,
    settings: ValidateSettings,
    comparison: Comparison = NOTHING,
    *,
    executor: Executor | None = None,
    work: Path | None = None,
) -> Judged:
    """What comes of each expectation; what is made of each shard lies in `work`, if it is given.

    After those of its rows each table has those of `comparison`: what differs from the rows accepted last.
    """
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_pandas("rows")
    lines = frames(tables, executor or InProcess(), work=work)
    findings: list[Finding] = []
    quarantine = Quarantine(tables)
    for table, module in SUITES.items():
        mine = lines.pop(table)
        found = _judged(source, table, mine, module.expectations(settings), settings, len(mine))
        ids = mine["id"].to_numpy()
        findings += named(tables, table, ids, found)
        quarantine.hold(table, ids, found)
        if shifts := drift.expectations(comparison, table):
            shifted = _judged(source, table, drift.frame(comparison, table), shifts, settings, len(mine))
            findings += [finding for finding, _ in shifted]
    return Judged(tuple(findings), quarantine)


def _judged(
    source: Any,
    table: RowKind,
    lines: "pd.DataFrame",
    expectations: list[Any],
    settings: ValidateSettings,
    count: int,
) -> "list[tuple[Finding, NDArray[Any]]]":
    """What comes of `expectations` about the lines of a table of `count` rows, and where rows fail.

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
    source.delete_asset(name)  # or it would keep the lines
    told = {each.expectation_config.meta["name"]: each for each in result.results}
    return [finding(table, told[each.meta["name"]], judged=count) for each in suite.expectations]


def finding(table: RowKind, result: Any, *, judged: int) -> "tuple[Finding, NDArray[Any]]":
    """A result of Great Expectations on a table of `judged` rows as a finding, and where rows fail."""
    import numpy as np

    config = result.expectation_config
    observed = _number(result.result.get("observed_value"))
    error = _error(result.exception_info)
    about_rows = config.type.startswith("expect_column_values")
    # Of no rows there is no mean and no greatest value, and none is out of bounds.
    idle = not (judged or about_rows or error) and observed is None
    failed = np.asarray(result.result.get("unexpected_index_list") or (), dtype=np.int64)
    column = config.kwargs.get("column", "")
    found = Finding(
        table=table,
        name=config.meta["name"],
        description=config.description,
        column=column,
        expected=expected(config.type, config.kwargs),
        severity=config.severity.value,
        about_rows=about_rows,
        passed=bool(result.success) or idle,
        judged=judged,
        failed=len(failed),
        # In the place of ids stand numbers, which say nothing.
        seen=None if column == "id" else _span(result.result.get("unexpected_list") or ()),
        key=config.meta["key"],
        detail=config.meta["detail"],
        remedy=config.meta["remedy"],
        observed=observed,
        error=error,
    )
    return found, failed


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
