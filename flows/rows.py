"""The command `threeply rows`: what became of every row, and of a single one; erasing and correcting some."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.errors import SettingsError
from flows import correcting, erasing, selecting
from flows.balance import show_balance
from flows.plain import on_a_line
from flows.trails import trail_lines

if TYPE_CHECKING:
    from tasks.prepare.tracing.stored import Stored

DATA = Path("data")
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
    selecting.add_flags(ways.add_parser("select", help=text, description=f"{text.capitalize()}."))
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
        selecting.select_rows(root, settings, words)
        return True
    if words.way == "import":
        correcting.import_rows(words.file, words.out)
        return True
    stored = read_stored(root / DATA)
    match words.way:
        case "export":
            correcting.export_rows(root / DATA, stored, settings, words)
        case "why":
            print("\n".join(trail_lines(root, stored, settings.clean, words.id, whole=words.whole)))
        case "lost":
            print("\n".join(_lost(stored, words)))
        case _:
            return show_balance(root, stored)
    return True


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
