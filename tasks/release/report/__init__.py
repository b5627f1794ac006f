"""The page for people: the ledger on top, and below it everything that it rests on."""

from collections.abc import Mapping
from pathlib import Path

from deploy.atomic import write_text
from deploy.settings import Section
from tasks.release.report.inputs import read_inputs
from tasks.release.report.page import render
from tasks.release.settings import ReportSettings
from tasks.rows.timings import read_timings

# The sections that a run of the chain follows. Those of the lab, the recipes and the server are none of them,
# and by how many processes shards are worked on makes no difference.
SHOWN = (
    "run", "base", "collect", "clean", "validate", "gate", "split", "index", "knowledge", "retrieval",
    "query_encoder", "rerank", "prompt", "generation", "search", "sft", "sample", "reward", "rlhf",
    "calibrate", "evaluate", "card", "bundle", "report",
)  # fmt: skip


def report(timings: Path | None, *reports: Path, page: Path, settings: Mapping[str, Section]) -> None:
    """Write one HTML file that needs nothing beside it, from the files of `data/reports` by their names.

    `timings` are the times of the stages, which differ from run to run: the page shows those of the run that
    wrote it.

    Raises:
        SourceError: a report cannot be read.
    """
    own = settings["report"]
    assert isinstance(own, ReportSettings)
    html = render(
        read_inputs(reports),
        settings={name: settings[name] for name in SHOWN},
        timings=read_timings(timings) if timings else {},
        num_examples=own.examples,
    )
    write_text(page, html)
