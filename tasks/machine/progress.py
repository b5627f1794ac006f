"""Progress lines: printed by stages, read by the live table of `threeply run`.

A line is `progress 120/700 rows, 3m10s left, loss 0.412`: plain enough for a log, strict enough to parse.
"""

import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

_LINE = re.compile(r"^progress (\d+)/(\d+) (\S+)(?:, (\S+) left)?(?:, (.*))?$")


@dataclass(frozen=True, slots=True)
class Step:
    """One parsed progress line; `left` is the time left as printed, `figures` free text."""

    done: int
    total: int
    unit: str
    left: str
    figures: str


class Progress:
    """Prints how far a loop has come, at most every `interval` seconds, and always at the end."""

    def __init__(
        self,
        total: int,
        unit: str,
        *,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        interval: float = 2.0,
    ) -> None:
        self._total, self._unit = total, unit
        self._stream, self._clock, self._interval = stream, clock, interval
        self._start = self._printed = clock()
        self._first: int | None = None

    def update(self, done: int, **figures: float | str) -> None:
        """Say that `done` of the total are done; `figures` are shown behind, such as loss=0.4."""
        now = self._clock()
        if self._first is None:
            # A resumed loop starts in the middle: time left is judged by what this process did.
            self._first = min(done, self._total)
        if done < self._total and now - self._printed < self._interval:
            return
        self._printed = now
        parts = [f"progress {done}/{self._total} {self._unit}"]
        advanced = done - self._first
        if advanced > 0 and done < self._total:
            parts.append(f"{duration((now - self._start) / advanced * (self._total - done))} left")
        parts += [f"{name} {_number(value)}" for name, value in figures.items()]
        print(", ".join(parts), file=self._stream or sys.stdout, flush=True)


def parse_progress(line: str) -> Step | None:
    """The progress that a line tells, or None if it is another line."""
    match = _LINE.match(line.strip())
    if not match:
        return None
    done, total, unit, left, figures = match.groups()
    return Step(int(done), int(total), unit, left or "", figures or "")


def duration(seconds: float) -> str:
    """Seconds in words: 42s, 3m10s, 1h05m."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}m{rest:02d}s"
    return f"{minutes // 60}h{minutes % 60:02d}m"


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"
