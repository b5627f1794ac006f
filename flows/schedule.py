"""Keeps the flows ready to be started by Prefect: from its page, by its command, or on a schedule."""

import argparse
import os
from pathlib import Path

from flows.api import prefect_api
from flows.errors import FlowError
from flows.graph import prepare


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The words that `threeply schedule` understands."""
    parser.add_argument("--cron", metavar="EXPRESSION", help='when adapt runs, such as "0 3 * * *"')


def keep_ready(root: Path, cron: str | None) -> None:
    """Serve the deployments of all flows until interrupted; `cron` is when `adapt` runs.

    Raises:
        FlowError: there is a schedule, but no server that keeps one.
    """
    if cron and not os.environ.get("PREFECT_API_URL"):
        raise FlowError(
            "a schedule needs a Prefect server of its own: start one with `prefect server start`, "
            "set PREFECT_API_URL=http://127.0.0.1:4200/api and try again"
        )
    prepare(root)
    with prefect_api(root) as api:
        from prefect import serve
        from prefect.deployments.runner import RunnerDeployment

        from flows.adapt import adapt, prepare_data, release, train

        api.wait()
        where = {"root": str(root.resolve())}
        ready = [adapt.to_deployment("threeply", cron=cron, parameters=where)]
        ready += [flow.to_deployment("threeply", parameters=where) for flow in (prepare_data, train, release)]
        print(f"Ready; Prefect's API is {api.url}. Stop with Ctrl-C.", flush=True)
        # limit: two runs in one place would wait for each other's files
        serve(*(one for one in ready if isinstance(one, RunnerDeployment)), limit=1)
