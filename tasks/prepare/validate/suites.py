"""Runs the three suites in Great Expectations and writes its pages; nothing of it stays but those."""

import math
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from tasks.prepare.settings import ValidateSettings
from tasks.prepare.validate import documents, examples, preferences
from tasks.prepare.validate.findings import Finding
from tasks.rows.records import RowKind, Rows

SUITES: dict[RowKind, ModuleType] = {"example": examples, "preference": preferences, "document": documents}


def check(rows: Rows, settings: ValidateSettings, *, docs: Path) -> list[Finding]:
    """What comes of each expectation; `docs` becomes a folder with index.html for people."""
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    context.add_data_docs_site(site_name="validation", site_config=_site(docs))
    pandas = context.data_sources.add_pandas("rows")
    findings: list[Finding] = []
    for table, module in SUITES.items():
        batch = pandas.add_dataframe_asset(table).add_batch_definition_whole_dataframe("all")
        suite = context.suites.add(gx.ExpectationSuite(table, expectations=module.expectations(settings)))
        definition = context.validation_definitions.add(
            gx.ValidationDefinition(name=table, data=batch, suite=suite)
        )
        checkpoint = gx.Checkpoint(
            name=table,
            validation_definitions=[definition],
            result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["id"]},
        )
        result = context.checkpoints.add(checkpoint).run(
            batch_parameters={"dataframe": module.frame(rows)}, run_id=gx.RunIdentifier(run_name="validate")
        )
        judged = {
            r.expectation_config.meta["name"]: r for run in result.run_results.values() for r in run.results
        }
        findings += [finding(table, judged[e.meta["name"]]) for e in suite.expectations]
    context.build_data_docs(site_names=["validation"])
    return findings


class Result(Protocol):
    """What is read of a result of Great Expectations."""

    success: bool
    result: dict[str, Any]
    exception_info: dict[str, Any]
    expectation_config: Any


def finding(table: RowKind, result: Result) -> Finding:
    """A result of Great Expectations as a finding."""
    config = result.expectation_config
    return Finding(
        table=table,
        name=config.meta["name"],
        description=config.description,
        severity=config.severity.value,
        about_rows=config.type.startswith("expect_column_values"),
        passed=bool(result.success),
        rows=tuple(str(row["id"]) for row in result.result.get("unexpected_index_list") or ()),
        key=config.meta["key"],
        observed=_number(result.result.get("observed_value")),
        error=_error(result.exception_info),
    )


def _number(value: Any) -> float | None:
    return None if value is None or math.isnan(value) else float(value)  # the mean of no rows


def _error(info: dict[str, Any]) -> str:
    """Why an expectation could not run: told flat, or below the id of each metric that failed."""
    entries = [info] if "raised_exception" in info else list(info.values())
    said = [str(entry["exception_message"]) for entry in entries if entry.get("raised_exception")]
    return "; ".join(dict.fromkeys(said))


def _site(docs: Path) -> dict[str, Any]:
    return {
        "class_name": "SiteBuilder",
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "store_backend": {
            "class_name": "TupleFilesystemStoreBackend",
            "base_directory": str(docs.absolute()),
        },
    }
