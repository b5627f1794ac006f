"""Writes docs/comparison.md and its picture from the last `threeply compare`.

    python -m benchmarks.comparison [--busy] [--note TEXT]
    python -m benchmarks.comparison --place build/json --page build/json.md --command "threeply compare ..."

With --place figures and settings are those of a run of its own, on another task, say, which --command has
measured (`threeply compare --profile structured --place build/json`). The last line is one JSON object: the
score of each method, and the verdict on each claim.
"""

import argparse
import json
import platform
import sys
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

from deploy.atomic import write_text
from tasks.lab.compare.claims import Claim, judge
from tasks.lab.compare.figures import MethodFigures
from tasks.lab.compare.page import budget, changes
from tasks.lab.compare.plots import scatter
from tasks.lab.settings import UNTUNED, CompareSettings
from tasks.machine.process import cores
from tasks.pages.numbers import fine_percent, number, times
from tasks.settings import load_settings

PAGE, METHODS = Path("docs/comparison.md"), Path("data/reports/methods.json")
HEAD = (
    "method | score (95 %) | of full tuning's gain | abstains rightly | wrongly | retention | learning rate "
    "| weights that learn | MiB stored | peak MiB | tokens/s | token served | unmerged"
)


def main() -> int:
    """Renew the page from the figures of the lab."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.comparison", description=__doc__)
    words.add_argument("--place", type=Path, default=Path(), help="of the run (this project)")
    words.add_argument("--page", type=Path, default=PAGE, help=f"what is written ({PAGE})")
    words.add_argument("--command", default="threeply compare", help="what has measured it, for the page")
    words.add_argument(
        "--busy", action="store_true", help="the machine did other work: leave out what a clock has measured"
    )
    words.add_argument("--note", default="", help="a sentence on how the run went, for the page")
    given = words.parse_args()
    methods = given.place / METHODS
    if not methods.exists():
        print(f"{methods} is not there yet: run `{given.command}` first", file=sys.stderr)
        print("{}")
        return 0
    found = json.loads(methods.read_text(encoding="utf-8"))
    unknown = {field.name: None for field in fields(MethodFigures)}  # figures of an earlier version lack some
    rows = [MethodFigures(**{**unknown, "method": name, **figures}) for name, figures in found.items()]
    rows.sort(key=lambda row: (row.method != UNTUNED, -row.score, row.method))
    if given.busy:
        rows = [replace(row, tokens_per_s=None, slower_served=None, slower_attached=None) for row in rows]
    settings = load_settings(given.place / "params.yaml").compare
    claims = judge(rows)
    drawn = given.page.with_suffix(".svg")
    write_text(given.page, page(rows, claims, settings, given.command, drawn.name, note=given.note))
    write_text(drawn, picture(rows, settings))
    told = {"scores": {row.method: row.score for row in rows}}
    print(json.dumps({**told, "verdicts": {claim.claim: claim.verdict for claim in claims}}))
    return 0


def page(
    rows: Sequence[MethodFigures],
    claims: Sequence[Claim],
    settings: CompareSettings,
    command: str,
    drawn: str,
    *,
    note: str = "",
) -> str:
    """The page as Markdown: what `command` has measured, with the picture `drawn` beside it."""
    machine = f"{cores()} cores, {platform.machine()}"
    seeds = f"{len(settings.seeds)} seed{'s' if len(settings.seeds) > 1 else ''}"
    columns = HEAD.count("|")
    lines = [
        "# The methods side by side",
        "",
        f"`{command}` with the params.yaml of this repository on {machine}: {budget(settings)}, "
        f"{seeds}, {settings.questions} questions of the test split, with its prompt and retrieval. "
        "Written by `python -m benchmarks.comparison`.",
        "",
        f"| {HEAD} |",
        "|---|" + "--:|" * columns,
        *(_line(row) for row in rows),
        "",
        "A method that has learnt to abstain, and nothing else, abstains rightly and wrongly alike; it "
        "scores the share of the questions that have no answer. Retention: by how much a token of general "
        "text has become likelier than under the base model. Token served and unmerged: the time of a token "
        "against the base model's.",
    ]
    if len(settings.rates) > 1:
        factors = ", ".join(number(rate) for rate in settings.rates)
        lines += [
            "",
            f"The learning rate is the best by validation loss of {factors} times that of params.yaml or the "
            "paper, each tried for a third of the budget.",
        ]
    if all(row.tokens_per_s is None for row in rows):
        lines += ["", "The machine did other work at the time, so what a clock measured is left out."]
    if note:
        lines += ["", note]
    variants = [name for name in settings.variants if any(row.method == name for row in rows)]
    lines += ["", *(f"- `{name}`: {changes(settings.variants[name])}" for name in variants)]
    lines += [
        "",
        f"![Score against cost of each method]({drawn})",
        "",
        "## What papers say, and what was measured here",
        "",
        "One model, one set of rows, one budget: a verdict is about this case alone.",
        "",
        "| claim | source | verdict | figures |",
        "|---|---|---|---|",
        *(f"| {claim.claim} | {claim.source} | {claim.verdict} | {claim.figures} |" for claim in claims),
        "",
    ]
    return "\n".join(lines)


def picture(rows: Sequence[MethodFigures], settings: CompareSettings) -> str:
    """The plots as an SVG file, on white: a file does not know the colours of the page that shows it."""
    drawn = scatter([row for row in rows if row.method not in settings.variants])
    return str(drawn).replace("<svg ", '<svg style="background: #ffffff" ', 1) + "\n"


def _line(row: MethodFigures) -> str:
    rate = "\u2013" if row.learning_rate is None else f"{row.learning_rate:.2g}"
    cells = [
        "base, untuned" if row.method == UNTUNED else f"`{row.method}`",
        f"{row.score:.3f} ({row.low:.2f} to {row.high:.2f})",
        fine_percent(row.gain_share),
        fine_percent(row.abstains_rightly),
        fine_percent(row.abstains_wrongly),
        f"{row.retention:.3f}",
        rate,
        fine_percent(row.trainable_share),
        number(row.stored_mib),
        number(row.peak_mib),
        number(row.tokens_per_s),
        times(row.slower_served),
        times(row.slower_attached),
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    raise SystemExit(main())
