"""What `threeply rows` prints: what became of the rows of each source, and whether all of it adds up."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flows.plain import on_a_line

if TYPE_CHECKING:
    from tasks.prepare.tracing.balance import Balance, Line
    from tasks.prepare.tracing.stored import Stored
    from tasks.rows.accounting import Accounting

REPORTS = Path("data/reports")
TRAINING = ("sft", "sample", "reward", "rlhf")
COUNTING = ("collect", "clean", "validate", "split", *TRAINING)


def show_balance(root: Path, stored: "Stored") -> bool:
    """Print the table of all rows; False, with what is wrong, where it does not add up."""
    from tasks.prepare.tracing.balance import balance, tokens_fault, unpaired
    from tasks.rows.accounting import row_accounting, trained_tokens
    from tasks.rows.reports import read_report

    paths = (root / REPORTS / f"{stage}.json" for stage in COUNTING)
    found = [read_report(path) for path in paths if path.is_file()]
    collected = next((report.figures for report in found if report.stage == "collect"), {})
    whole, training = balance(stored, unpaired(collected)), row_accounting(found)
    told = trained_tokens(next((report.figures for report in found if report.stage == "sft"), {}))
    print("\n".join([*balance_lines(whole), "", *_reasons(whole), *_trained(training), ""]))
    faults = (*whole.faults, *training.faults, *_not_taken(stored, training), *tokens_fault(whole, told))
    for fault in faults:
        print(f"does not add up: {fault}")
    if faults:
        print(
            "The stages are of different runs; threeply status says which are stale, threeply run mends it."
        )
    else:
        print("Every row is accounted for: each line adds up, and so do the reports of the stages.")
    return not faults


def balance_lines(found: "Balance") -> list[str]:
    """A line for each source and kind, and the sum of each kind, without the columns that are empty.

    No figure is ever cut: a terminal that is too narrow wraps the lines.
    """
    from tasks.prepare.tracing.balance import OUTCOMES, total
    from tasks.rows.tables import KINDS

    kinds = [kind for kind in KINDS if any(line.kind == kind for line in found.lines)]
    lines = [*found.lines, *(total(found.lines, kind) for kind in kinds)]
    columns = [name for name in OUTCOMES if any(line.outcomes[name] for line in lines)]
    taught = ["trained on", "tokens"] if any(line.trained is not None for line in lines) else []
    rows = [("", "", "collected", *columns, *taught)]
    rows += [
        (on_a_line(line.source, 40), line.kind, *_figures(line, columns, taught=bool(taught)))
        for line in lines
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    sides = ["<", "<", *[">"] * (len(columns) + len(taught) + 1)]
    return [
        "  ".join(
            f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def _figures(line: "Line", columns: Sequence[str], *, taught: bool) -> list[str]:
    counts = [line.collected, *(line.outcomes[name] for name in columns)]
    counts += [line.trained or 0, line.tokens or 0] if taught else []
    return [f"{count:,}" if count else "" for count in counts]


def _reasons(found: "Balance") -> Iterator[str]:
    for line in found.lines:
        if line.reasons:
            told = ", ".join(f"{stage} {reason} {count:,}" for (stage, reason), count in line.reasons.items())
            yield f"{on_a_line(line.source, 40)}, {line.kind}s: {on_a_line(told, 400)}"


def _trained(found: "Accounting") -> Iterator[str]:
    """What training took of the rows of its splits: it draws from all sources together."""
    from tasks.rows.accounting import reasons_told

    for line in found.lines:
        if line.stage in TRAINING:
            why = f"; {reasons_told(line)}" if line.reasons else ""
            counts = line.counts
            took = f"{counts['trained']:,} trained on" if counts["trained"] else f"{counts['kept']:,} kept"
            yield f"{line.stage}: {took} of {counts['in']:,} {line.kind}s{why}"


def _not_taken(stored: "Stored", found: "Accounting") -> Iterator[str]:
    """That fine-tuning took in another number of examples than its split has, where no table tells of them.

    General rows, where there are some, come from the base model as well: then it cannot be told.
    """
    if "sft" in stored.learned:
        return
    entered = {line.kind: line.counts["in"] for line in found.lines if line.stage == "sft"}
    if stored.splits is not None and "example" in entered and "general" not in entered:
        there = sum(row.kind == "example" for row in stored.splits["train"])
        if there != entered["example"]:
            yield f"train has {there} examples, and sft took in {entered['example']}"
