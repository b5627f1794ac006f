"""What a person sees of a run: a live table in a terminal, plain lines elsewhere."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from flows.stage import Outcome
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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

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


@dataclass(slots=True)
class LiveBoard:
    """A table of all stages that is drawn anew four times a second."""

    names: Sequence[str]
    rows: dict[str, _Row] = field(default_factory=dict)
    running: str = ""
    _live: object = None

    def __enter__(self) -> Self:
        from rich.live import Live

        self.rows = {name: _Row() for name in self.names}
        live = Live(get_renderable=self.table, refresh_per_second=4)
        live.__enter__()
        self._live = live
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        from rich.live import Live

        assert isinstance(self._live, Live)
        self._live.__exit__(kind, error, trace)

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
        for name in self.names:
            row = self.rows[name]
            running = row.state == "running"
            seconds = time.monotonic() - row.started if running else row.seconds
            table.add_row(
                name,
                Text(row.state or "waiting", style=_STYLES.get(row.state, "dim")),
                ProgressBar(row.step.total, row.step.done, width=20) if running and row.step else "",
                row.step.left if running and row.step else "",
                "" if seconds is None or row.state == "cached" else duration(seconds),
                Text(row.note if running else "", style="dim"),
            )
        return table


def brief(changes: Sequence[str]) -> str:
    """The first changes, and how many more there are."""
    if len(changes) <= 2:
        return ", ".join(changes)
    return f"{', '.join(changes[:2])} and {len(changes) - 2} more"
