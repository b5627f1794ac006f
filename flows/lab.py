"""The flow `compare`: what it needs of the chain, then every trial, then the table and the pages."""

from typing import Annotated

from prefect import flow
from pydantic import SkipValidation

from flows.adapt import Run, run_stages


@flow(name="compare", validate_parameters=False, persist_result=False)
def compare(
    root: str,  # noqa: ARG001  (what Prefect shows of the run)
    chain: Annotated[Run, SkipValidation],
    lab: Annotated[Run, SkipValidation],
) -> None:
    """Bring the rows up to date, then every trial that has changed, then what is shown of them."""
    for part in (chain, lab):
        run_stages(part, tuple(name for name in part.graph.names if name in part.wanted))
