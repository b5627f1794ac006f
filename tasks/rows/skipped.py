"""A stage that was skipped: what stands in the place of what it would make, and why.

The graph always has every stage. One that has nothing to do leaves a note where its adapter would be, and
the stages after it read the note: the ledger, the bundle and the report then end with the layer before.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.atomic import write_json, write_text
from deploy.files import read_json
from tasks.errors import SourceError
from tasks.rows.reports import Report, row_counts, write_report

NOTE = "skipped.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedStage:
    """Which stage was skipped, and why."""

    stage: str
    reason: str


def skip(
    stage: str, reason: str, *, kind: str, entered: int, adapter: Path, curve: Path, report: Path
) -> None:
    """Write the note instead of the adapter, an empty curve, and a report that gives the reason.

    All of the `entered` rows of a `kind` that the stage would have learned from are counted as unused.
    """
    leave_note(adapter, stage, reason)
    write_text(curve, "step\n")
    rows = row_counts(kind, entered, unused={reason: entered})
    write_report(report, Report(stage=stage, rows=rows, figures={"skipped": reason}))


def leave_note(folder: Path, stage: str, reason: str) -> None:
    """Say, and write into `folder` instead of what `stage` would make, why it was skipped."""
    print(f"{stage} is skipped: {reason}", flush=True)
    write_json(folder / NOTE, asdict(SkippedStage(stage=stage, reason=reason)))


def skip_reason(adapter: Path) -> str:
    """Why the stage that fills the folder `adapter` was skipped; empty where it was not.

    Raises:
        SourceError: the note is damaged.
    """
    path = adapter / NOTE
    if not path.exists():
        return ""
    return read_json(path, SkippedStage, error=SourceError, advice="run dvc repro").reason
