"""Runs the three suites in Great Expectations and writes its pages; nothing of it stays but those."""

import math
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tasks.prepare.settings import ValidateSettings
from tasks.prepare.validate import documents, examples, preferences
from tasks.prepare.validate.expect import Columns
from tasks.prepare.validate.findings import Finding
from tasks.rows.records import RowKind, Rows

if TYPE_CHECKING:
    import pandas as pd

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
        result = definition.run(
            batch_parameters={"dataframe": frame(rows, table)},
            result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["id"]},
            run_id=gx.RunIdentifier(run_name="validate"),
        )
        judged = {each.expectation_config.meta["name"]: each for each in result.results}
        findings += [finding(table, judged[e.meta["name"]]) for e in suite.expectations]
    context.build_data_docs(site_names=["validation"])
    return findings


def frame(rows: Rows, table: RowKind) -> "pd.DataFrame":
    """One line a row: its id and what is judged, but none of its text, which may be personal."""
    import pandas as pd

    documents = {document.id: document for document in rows.documents}
    columns: Columns = SUITES[table].COLUMNS
    lines = [tuple(judge(row, documents) for _, judge in columns.values()) for row in rows.by_kind()[table]]
    kinds = {name: kind for name, (kind, _) in columns.items()}
    return pd.DataFrame(lines, columns=list(columns)).astype(kinds)


def finding(table: RowKind, result: Any) -> Finding:
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
