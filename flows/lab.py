"""The flow `compare`: what it needs of the chain, then every trial, then the table and the pages."""

from typing import Any

from prefect import flow

from flows.adapt import Run, run_stages


@flow(name="compare", validate_parameters=False, persist_result=False)
def compare(
    root: str,  # noqa: ARG001  (what Prefect shows of the run)
    parts: Any,  # of Run: Prefect makes a schema of every type that it is shown, and cannot of this one
) -> None:
    """Bring the stages of all `parts` up to date, one part after the other: the chain's, then the lab's."""
    runs: tuple[Run, ...] = parts
    for run in runs:
        run_stages(run, tuple(name for name in run.graph.names if name in run.wanted))
