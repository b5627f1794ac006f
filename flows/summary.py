"""What a run says at its end: the ledger, where the report is, and what to do next."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from deploy.files import read_json
from tasks.errors import SourceError
from tasks.evaluation.ledger import NAMES, Ledger, read_ledger
from tasks.evaluation.sentences import majority_sentence, rule_sentences, skip_sentences, test_set_sentences
from tasks.pages.numbers import decimals, fine_percent, milliseconds, number, percent
from tasks.rows.reports import read_report

LEDGER = Path("data/reports/ledger.json")
PAGE = Path("data/reports/index.html")
METHODS = Path("data/reports/methods.json")
CLAIMS = Path("data/reports/claims.html")
RECIPES = Path("data/recipes")


def print_summary(root: Path) -> None:
    """Print the ledger of `root`, if it has one, and the ways on."""
    console = _console()
    if not (root / LEDGER).exists():
        console.print("There is no ledger (what each layer adds) yet: threeply run makes it.")
        return
    _print_ledger(console, read_ledger(root / LEDGER))
    if (root / PAGE).exists():
        console.print(f"Report:  {root / PAGE}", highlight=False)
    served = "make serve" if root == Path() else f"threeply serve --bundle {root / 'data/bundle'}"
    console.print(f"Next:    {served}", highlight=False)


def print_methods(root: Path) -> None:
    """Print the table of the methods that the lab has compared, best first."""
    found = read_json(root / METHODS, dict[str, Any], error=SourceError, advice="run threeply compare")
    console = _console()
    rows = (
        (
            "base, untuned" if name == "none" else name,
            f"{row['score']:.3f}  {row['low']:.2f}-{row['high']:.2f}",
            f"{row['retention']:.3f}",
            fine_percent(row["trainable_share"]),
            number(row["stored_mib"]),
            number(row["peak_mib"]),
        )
        for name, row in sorted(found.items(), key=lambda item: (item[0] != "none", -item[1]["score"]))
    )
    _print_table(console, ("score (95 %)", "retains", "learns", "MiB stored", "MiB peak"), rows)
    for page in (METHODS.with_suffix(".html"), CLAIMS):
        console.print(f"Page:    {root / page}", highlight=False, soft_wrap=True)


def print_recipe(root: Path, name: str) -> None:
    """Print what each method of a recipe scored, best first, beside the majority baseline."""
    found = [read_report(path).figures for path in sorted((root / RECIPES / name).glob("*.json"))]
    console = _console()
    rows = (
        (
            str(row["method"]),
            f"{row['accuracy']:.3f}  {row['low']:.2f}-{row['high']:.2f}",
            f"{row['macro_f1']:.3f}",
            f"{100 * row['trainable_parameters'] / row['total_parameters']:.3g} %",
            f"{row['bytes'] / 1024:,.0f}",
        )
        for row in sorted(found, key=lambda row: -float(row["accuracy"]))
    )
    _print_table(console, ("accuracy (95 %)", "macro F1", "learns", "KiB stored"), rows)
    first = found[0]
    console.print(
        f"{first['questions']} questions, {len(first['labels'])} labels. Always answering "
        f"\u201c{first['majority_label']}\u201d would score {first['majority']:.3f}.",
        highlight=False,
    )
    console.print(f"Models:  {root / RECIPES / name}", highlight=False, soft_wrap=True)


def _print_ledger(console: Console, ledger: Ledger) -> None:
    rows = (
        (
            NAMES[name].replace(" without", ", no"),  # a terminal has 80 columns
            f"{arm.score:.3f}  {arm.low:.2f}-{arm.high:.2f}",
            percent(arm.abstention),
            percent(arm.citation_validity),
            decimals(arm.retention),
            milliseconds(arm.latency_ms),
        )
        for name, arm in ledger.arms.items()
    )
    console.print("Ledger: what each layer adds")
    _print_table(console, ("score (95 %)", "abstains", "cites", "retains", "latency"), rows)
    sentences = (*test_set_sentences(ledger), *rule_sentences(ledger), *skip_sentences(ledger))
    for sentence in (majority_sentence(ledger), *sentences):
        console.print(sentence, highlight=False)


def _console() -> Console:
    """The terminal, or 100 columns where it is narrower than 80 or there is none."""
    return Console(width=None if shutil.get_terminal_size().columns >= 80 else 100, soft_wrap=False)


def _print_table(console: Console, headings: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print rows that start with a name, between empty lines; `headings` are those of the figures."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("", no_wrap=True)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console.print()
    console.print(table, highlight=False)
    console.print()
