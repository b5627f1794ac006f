"""How long the chain takes, stage by stage, and what a second run costs when nothing has changed.

    python -m benchmarks.chain            what the last run measured
    python -m benchmarks.chain --again    also times a second, unchanged `threeply run`

Prints a table, and below it what the machine's matrix products reach now, so that the times of two machines
can be compared; the last line is one JSON object.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.roofline import rates_line, rates_now
from tasks.evaluation.ledger import Ledger, read_ledger
from tasks.evaluation.markdown import ledger_markdown
from tasks.machine.process import cores
from tasks.machine.progress import duration
from tasks.rows.timings import read_timings
from tasks.stages import STAGES

REPORTS = Path("data/reports")


def main() -> int:
    """Print what the last run took; exit 1 if there was none."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.chain", description=__doc__)
    words.add_argument(
        "--reports", type=Path, default=REPORTS, metavar="DIR", help="reports of another place"
    )
    words.add_argument("--again", action="store_true", help="also time an unchanged run")
    given = words.parse_args()
    timings = read_timings(given.reports / "stages.json")
    if not timings:
        print(f"{given.reports / 'stages.json'} is not there yet: run `threeply run` first", file=sys.stderr)
        return 1
    again = time_unchanged_run() if given.again else None
    path = given.reports / "ledger.json"
    ledger = read_ledger(path) if path.exists() else None
    print(table(timings))
    rates = rates_now()
    print(rates_line(rates))
    if again is not None:
        print(
            f"a second run, nothing changed: {duration(again['seconds'])}, "
            f"{duration(again['processor_seconds'])} of processor time"
        )
    if ledger is not None:
        print(f"\n{ledger_markdown(ledger)}")
    print(json.dumps(summary(timings, ledger, again, rates)))
    return 0


def table(timings: Mapping[str, Mapping[str, float]]) -> str:
    """One line a stage in the order of the chain, and the total."""
    lines = [f"{'stage':<10} {'time':>8} {'peak memory':>12}"]
    for stage in (name for name in STAGES if name in timings):
        took = timings[stage]
        lines.append(f"{stage:<10} {duration(took['seconds']):>8} {took['peak_mib']:>8,.0f} MiB")
    total = sum(took["seconds"] for took in timings.values())
    return "\n".join([*lines, f"{'all':<10} {duration(total):>8}   on {cores()} cores"])


def summary(
    timings: Mapping[str, Mapping[str, float]],
    ledger: Ledger | None,
    again: Mapping[str, float] | None,
    rates: Mapping[str, float],
) -> dict[str, Any]:
    """The figures as one JSON object."""
    return {
        "cores": cores(),
        "seconds": {stage: took["seconds"] for stage, took in timings.items()},
        "total_seconds": round(sum(took["seconds"] for took in timings.values()), 1),
        "peak_mib": max(took["peak_mib"] for took in timings.values()),
        "matrix_gflops_now": dict(rates),
        "unchanged": dict(again) if again else None,
        "scores": {name: arm.score for name, arm in ledger.arms.items()} if ledger else None,
        "majority": ledger.majority if ledger else None,
    }


def time_unchanged_run() -> dict[str, float]:
    """The seconds of a `threeply run` that finds everything as it was, and those of its processors."""
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "flows", "run"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": round(time.monotonic() - started, 1), "processor_seconds": round(processor, 1)}


if __name__ == "__main__":
    raise SystemExit(main())
