"""What a person sees of a run: a live table in a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from flows.stage import Board, Outcome
from tasks.machine.progress import Step, duration, parse_progress

if TYPE_CHECKING:
    from rich.console import RenderableType

_WORDS = {"unchanged": "cached", "restored": "restored", "ran": "done"}
_STYLES = {"cached": "dim", "restored": "cyan", "done": "green", "failed": "bold red", "running": "bold"}


class PlainBoard:
    """Prints a line for whatever happens: for logs and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.running = ""

    def started(self, name: str, changes: Sequence[str]) -> None:
        """Say why the stage runs."""
        self.running = name
        self._print(f"{name}: starts ({brief(changes)})" if changes else f"{name}: starts")

    def line(self, name: str, text: str) -> None:
        """Pass the line on under the stage's name."""
        self._print(f"{name} | {text}")

    def ended(self, outcome: Outcome) -> None:
        """Say how the stage ended."""
        self.running = ""
        self._print(f"{outcome.name}: {_WORDS[outcome.how]} in {duration(outcome.seconds)}")

    def failed(self, name: str, seconds: float) -> None:
        """Say that the stage failed."""
        self._print(f"{name}: failed after {duration(seconds)}")

    def _print(self, text: str) -> None:
        print(text, file=self._stream, flush=True)


@dataclass(slots=True)
class _Row:
    state: str = ""
    started: float = 0.0
    seconds: float | None = None
    step: Step | None = None
    note: str = ""


class LiveBoard:
    """Keeps a table of all stages, to be drawn again and again."""

    def __init__(self, names: Sequence[str]) -> None:
        self.rows = {name: _Row() for name in names}
        self.running = ""

    def started(self, name: str, changes: Sequence[str]) -> None:
        """Start the stage's clock."""
        self.running = name
        self.rows[name] = _Row(state="running", started=time.monotonic(), note=brief(changes))

    def line(self, name: str, text: str) -> None:
        """Show the progress that the line tells, or the line itself."""
        row = self.rows[name]
        if step := parse_progress(text):
            row.step, row.note = step, step.figures
        else:
            row.note = text.strip()

    def ended(self, outcome: Outcome) -> None:
        """Stop the stage's clock."""
        self.running = ""
        self.rows[outcome.name] = _Row(state=_WORDS[outcome.how], seconds=outcome.seconds)

    def failed(self, name: str, seconds: float) -> None:
        """Mark the stage."""
        row = self.rows[name]
        row.state, row.seconds = "failed", seconds

    def table(self) -> "RenderableType":
        """The table as things stand."""
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("stage", "state", "progress", "left", "time", ""):
            table.add_column(heading, no_wrap=True, overflow="ellipsis", justify="left")
        for name, row in self.rows.items():
            running = row.state == "running"
            seconds = time.monotonic() - row.started if running else row.seconds
            table.add_row(
                name,
                Text(row.state or "waiting", style=_STYLES.get(row.state, "dim")),
                ProgressBar(row.step.total, row.step.done, width=20) if running and row.step else "",
                row.step.left if running and row.step else "",
                "" if seconds is None or row.state == "cached" else duration(seconds),
                Text(row.note if row.state in ("running", "failed") else "", style="dim"),
            )
        return table


@contextmanager
def watching(names: Sequence[str]) -> Iterator[Board]:
    """The board for stages of these `names`; a live one is drawn four times a second until the block ends."""
    if not sys.stdout.isatty():
        yield PlainBoard(sys.stdout)
        return
    from rich.live import Live

    board = LiveBoard(names)
    with Live(get_renderable=board.table, refresh_per_second=4):
        yield board


def brief(changes: Sequence[str]) -> str:
    """The first changes, and how many more there are."""
    if len(changes) <= 2:
        return ", ".join(changes)
    return f"{', '.join(changes[:2])} and {len(changes) - 2} more"
