"""The command `threeply rows`: what became of every row, and of a single one; erasing and correcting some."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.errors import SettingsError
from flows import correcting, erasing, select
from flows.errors import TraceError
from flows.plain import on_a_line, plain

if TYPE_CHECKING:
    from tasks.prepare.tracing.balance import Balance, Line
    from tasks.prepare.tracing.stored import Stored
    from tasks.prepare.tracing.trails import Trail
    from tasks.rows.accounting import Accounting
    from tasks.rows.records import Row

DATA = Path("data")
REPORTS = DATA / "reports"
TRAINING = ("sft", "sample", "reward", "rlhf")
COUNTING = ("collect", "clean", "validate", "split", *TRAINING)
SHOWN = 2000  # characters of a text
LISTED = 20
_WIDTH = 110


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The words that `threeply rows` understands; without any it prints the table."""
    ways = parser.add_subparsers(dest="way", metavar="WAY")
    text = "say what became of one row: each stage that had it, why it went no further, its text"
    why = ways.add_parser("why", help=text, description=f"{text.capitalize()}.")
    why.add_argument("id", metavar="ID", help="of the row; threeply rows lost lists some")
    why.add_argument("--whole", action="store_true", help="texts in full")
    text = "take rows out of all that runs keep; says first what it would do"
    erasing.add_flags(ways.add_parser("erase", help=text, description=f"{text.capitalize()}."))
    text = "choose a small set of rows out of many, by what the base model finds hard, coverage or length"
    select.add_flags(ways.add_parser("select", help=text, description=f"{text.capitalize()}."))
    correcting.add_flags(ways)
    text = "list rows that went no further, each with its stage and the reason"
    lost = ways.add_parser("lost", help=text, description=f"{text.capitalize()}.")
    for name in ("source", "stage", "reason"):
        lost.add_argument(f"--{name}", metavar=name.upper(), help=f"only those of this {name}")
    lost.add_argument("--count", type=int, default=LISTED, metavar="N", help=f"rows to list ({LISTED})")


def trace_rows(root: Path, settings: Any, words: argparse.Namespace) -> bool:
    """Do what the words ask for; False where the table does not add up, or erasing leaves something.

    Raises:
        SourceError: nothing has been collected yet, or a file is damaged.
        TraceError: no row has the id.
        SelectError: there are no rows to choose from.
        SettingsError: a word is wrong.
        LabelError: there is nothing to correct, or what people corrected cannot be taken.
    """
    from tasks.prepare.tracing.stored import read_stored

    if words.way == "erase":
        return erasing.erase(root, words)
    if words.way == "select":
        select.select_rows(root, settings, words)
        return True
    if words.way == "import":
        correcting.import_rows(words.file, words.out)
        return True
    stored = read_stored(root / DATA)
    match words.way:
        case "export":
            correcting.export_rows(root / DATA, stored, settings, words)
        case "why":
            print("\n".join(_why(root, stored, settings, words)))
        case "lost":
            print("\n".join(_lost(stored, words)))
        case _:
            return _show_balance(root, stored)
    return True


def _show_balance(root: Path, stored: "Stored") -> bool:
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
    from tasks.prepare.tracing.stored import KINDS

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
    if stored.learned is not None:
        return
    entered = {line.kind: line.counts["in"] for line in found.lines if line.stage == "sft"}
    if stored.splits is not None and "example" in entered and "general" not in entered:
        there = sum(row.kind == "example" for row in stored.splits["train"])
        if there != entered["example"]:
            yield f"train has {there} examples, and sft took in {entered['example']}"


def _why(root: Path, stored: "Stored", settings: Any, words: argparse.Namespace) -> Iterator[str]:
    from tasks.prepare.tracing.trails import trails

    found = trails(root, stored, words.id, settings.clean)
    if not found:
        raise TraceError(_unknown(stored, words.id))
    for trail in found:
        yield from _trail(trail, None if words.whole else SHOWN)


def _unknown(stored: "Stored", name: str) -> str:
    """That no row has this id, with those that are spelled like it."""
    import difflib

    ids = list(dict.fromkeys(each for _, each in stored.ids()))
    near = difflib.get_close_matches(name, ids[:20_000], n=3) or [each for each in ids if name in each][:3]
    hint = f"; like it are {', '.join(near)}" if near else ""
    return f"no row has the id {name!r}{hint}. threeply rows lost lists those that went no further"


def _trail(trail: "Trail", most: int | None) -> Iterator[str]:
    yield f"{trail.kind} {plain(trail.id)}, from {plain(trail.source)}"
    for event in trail.events:
        told = f": {plain(event.reason)}" if event.reason else ""
        yield f"  {event.stage:<9} {event.outcome}{told}{f' ({plain(event.detail)})' if event.detail else ''}"
    if trail.judged is not None:
        told = ", ".join(f"{name} {_spelled(value)}" for name, value in trail.judged.items())
        yield f"  what was judged: {told}"
    for line in trail.lines:
        yield from _indented("what stands there", line, most)
    for version in trail.versions:
        yield from _text(f"as it was {version.state}", version.row, most)
    for other in trail.counterparts:
        yield f"\n{other.relation} {plain(other.id)} ({other.fate})"
        for row in other.rows:
            yield from _text("", row, most)
    yield ""


def _text(title: str, row: "Row", most: int | None) -> Iterator[str]:
    from tasks.rows.records import Document, Example, Preference

    parts: list[tuple[str, str]]
    match row:
        case Example():
            parts = [(turn.role, turn.content) for turn in row.messages]
        case Preference():
            parts = [(turn.role, turn.content) for turn in row.prompt]
            parts += [("chosen", row.chosen), ("rejected", row.rejected)]
        case Document():
            parts = [("title", row.title), ("uri", row.uri), ("text", row.text)]
    if title:
        yield f"  {title}"
    for name, text in parts:
        yield from _indented(name, text, most)


def _indented(name: str, text: str, most: int | None) -> Iterator[str]:
    first, *more = plain(text, most).split("\n")
    yield f"    {name}: {first}"
    yield from (f"      {line}" for line in more)


def _spelled(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _lost(stored: "Stored", words: argparse.Namespace) -> Iterator[str]:
    if words.count < 1:
        raise SettingsError(f"--count {words.count} is wrong; it should be 1 or more")
    rows = list(stored.lost_rows())
    for name in ("source", "stage", "reason"):
        wanted = getattr(words, name)
        known = sorted({getattr(row, name) for row in rows})
        if wanted is not None and wanted not in known:
            raise SettingsError(
                f"--{name} {wanted!r} is wrong; it should be one of {', '.join(known) or 'none'}"
            )
        rows = [row for row in rows if wanted in (None, getattr(row, name))]
    for row in rows[: words.count]:
        yield on_a_line(f"{row.id} {row.kind} {row.stage}: {row.reason} {row.detail}", _WIDTH)
    yield f"{min(words.count, len(rows)):,} of {len(rows):,} rows; threeply rows why ID says more of one"
