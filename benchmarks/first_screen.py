"""Writes the figures of the last run into README.md, between its markers: tables are generated, not typed.

    python -m benchmarks.first_screen

The last line is one JSON object.
"""

import json
import platform
from pathlib import Path

from benchmarks.chain import REPORTS, summary, table
from benchmarks.pages import write_between
from benchmarks.roofline import rates_line, rates_now
from tasks.evaluation.ledger import read_ledger
from tasks.evaluation.markdown import ledger_markdown
from tasks.machine.process import cores
from tasks.rows.timings import read_timings

README = Path("README.md")


def main() -> int:
    """Renew the tables of README.md from data/reports."""
    timings, ledger = read_timings(REPORTS / "stages.json"), read_ledger(REPORTS / "ledger.json")
    source = "\n*`threeply report`, after `make run` with the params.yaml of this repository.*\n"
    write_between(README, "ledger", ledger_markdown(ledger) + source)
    machine, rates = f"{cores()} cores, {platform.machine()}", rates_now()
    stages = f"```\n{table(timings)}\n{rates_line(rates)}\n```\n"
    write_between(README, "stages", f"{stages}*`python -m benchmarks.chain` on {machine}.*\n")
    print(json.dumps(summary(timings, ledger, None, rates)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
