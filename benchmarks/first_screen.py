"""Writes the figures of the last run into README.md, between its markers: tables are generated, not typed.

    python -m benchmarks.first_screen

The last line is one JSON object.
"""

import json
import platform
from pathlib import Path

from benchmarks.chain import REPORTS, summary, table
from benchmarks.roofline import rates_line, rates_now
from deploy.atomic import write_text
from tasks.errors import SourceError
from tasks.evaluation.ledger import read_ledger
from tasks.evaluation.markdown import ledger_markdown
from tasks.machine.process import cores
from tasks.rows.timings import read_timings

README = Path("README.md")


def main() -> int:
    """Renew the tables of README.md from data/reports."""
    timings, ledger = read_timings(REPORTS / "stages.json"), read_ledger(REPORTS / "ledger.json")
    text = README.read_text(encoding="utf-8")
    source = "\n*`threeply report`, after `make run` with the params.yaml of this repository.*\n"
    text = between(text, "ledger", ledger_markdown(ledger) + source)
    machine, rates = f"{cores()} cores, {platform.machine()}", rates_now()
    stages = f"```\n{table(timings)}\n{rates_line(rates)}\n```\n"
    text = between(text, "stages", f"{stages}*`python -m benchmarks.chain` on {machine}.*\n")
    write_text(README, text)
    print(json.dumps(summary(timings, ledger, None, rates)))
    return 0


def between(text: str, name: str, content: str) -> str:
    """`text` with `content` between the markers `<!-- name -->` and `<!-- /name -->`.

    Raises:
        SourceError: a marker is missing.
    """
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if start not in text or end not in text:
        raise SourceError(
            f"the markers {start} and {end} are not both there; add them where the table belongs"
        )
    head, rest = text.split(start, 1)
    return f"{head}{start}\n{content}{end}{rest.split(end, 1)[1]}"


if __name__ == "__main__":
    raise SystemExit(main())
