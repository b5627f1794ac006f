"""Runs the three suites in Great Expectations; nothing of it stays but what it found."""

import math
from collections.abc import Iterable
from numbers import Real
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tasks.prepare.settings import ValidateSettings
from tasks.prepare.validate import documents, examples, preferences
from tasks.prepare.validate.expect import Columns
from tasks.prepare.validate.findings import Finding
from tasks.prepare.validate.words import expected
from tasks.rows.records import RowKind, Rows

if TYPE_CHECKING:
    import pandas as pd

SUITES: dict[RowKind, ModuleType] = {"example": examples, "preference": preferences, "document": documents}


def check(rows: Rows, settings: ValidateSettings) -> list[Finding]:
    """What comes of each expectation, in the order of the suites."""
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    pandas = context.data_sources.add_pandas("rows")
    findings: list[Finding] = []
    for table, module in SUITES.items():
        batch = pandas.add_dataframe_asset(table).add_batch_definition_whole_dataframe("all")
        suite = context.suites.add(gx.ExpectationSuite(table, expectations=module.expectations(settings)))
        definition = context.validation_definitions.add(
            gx.ValidationDefinition(name=table, data=batch, suite=suite)
        )
        result = definition.run(
            batch_parameters={"dataframe": frame(rows, table)},
            result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["id"]},
            run_id=gx.RunIdentifier(run_name="validate"),
        )
        judged = {each.expectation_config.meta["name"]: each for each in result.results}
        count = len(rows.by_kind()[table])
        findings += [finding(table, judged[e.meta["name"]], judged=count) for e in suite.expectations]
    return findings


def frame(rows: Rows, table: RowKind) -> "pd.DataFrame":
    """One line a row: its id and what is judged, but none of its text, which may be personal."""
    import pandas as pd

    documents = {document.id: document for document in rows.documents}
    columns: Columns = SUITES[table].COLUMNS
    lines = [tuple(judge(row, documents) for _, judge in columns.values()) for row in rows.by_kind()[table]]
    kinds = {name: kind for name, (kind, _) in columns.items()}
    return pd.DataFrame(lines, columns=list(columns)).astype(kinds)


def finding(table: RowKind, result: Any, *, judged: int) -> Finding:
    """A result of Great Expectations on `judged` rows as a finding."""
    config = result.expectation_config
    return Finding(
        table=table,
        name=config.meta["name"],
        description=config.description,
        column=config.kwargs.get("column", ""),
        expected=expected(config.type, config.kwargs),
        severity=config.severity.value,
        about_rows=config.type.startswith("expect_column_values"),
        passed=bool(result.success),
        judged=judged,
        rows=tuple(str(row["id"]) for row in result.result.get("unexpected_index_list") or ()),
        seen=_span(result.result.get("unexpected_list") or ()),
        key=config.meta["key"],
        observed=_number(result.result.get("observed_value")),
        error=_error(result.exception_info),
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
