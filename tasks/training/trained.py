"""What a training stage ends with: an adapter in its work folder, a curve and a report."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from deploy.atomic import write_text
from tasks.rows.reports import Report, write_report


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A trained adapter in its folder, the curve of its training as CSV, the report, and how fast it was.

    The speed is no part of the report: equal runs have equal reports.
    """

    adapter: Path
    curve: str
    report: Report
    tokens_per_s: float | None = None

    def write(self, adapter: Path, curve: Path, report: Path) -> None:
        """Write all three to the stage's outputs; the work folder stays as it is."""
        shutil.copytree(self.adapter, adapter)
        write_text(curve, self.curve)
        write_report(report, self.report)
