"""One stage of the graph: left alone when nothing changed, else run as a child process."""

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from flows import graph
from flows.errors import LockBusyError, StageFailedError
from flows.process import Ended, run_command

LOGS = Path(".threeply/logs")
WAITS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)  # seconds before trying a busy lock again


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a stage came to its outputs, how long that took, and what had changed."""

    name: str
    how: graph.How
    seconds: float
    changes: tuple[str, ...]


class Board(Protocol):
    """Whoever watches a run. `running` is the stage that has begun and not ended well."""

    running: str

    def started(self, name: str, changes: Sequence[str]) -> None:
        """A stage whose inputs changed begins."""

    def line(self, name: str, text: str) -> None:
        """A running stage printed a line."""

    def ended(self, outcome: Outcome) -> None:
        """A stage has ended well."""

    def failed(self, name: str, seconds: float) -> None:
        """A stage has ended badly."""


def run_stage(
    root: Path,
    name: str,
    *,
    board: Board,
    log: Callable[[str], None],
    timeout: float | None = None,
    sleep: Callable[[float], None] = time.sleep,
    file: str = graph.CHAIN,
) -> Outcome:
    """Bring one stage up to date; its lines go to `board`, to `log` and to a file of its own.

    Raises:
        StageFailedError: the stage ended with an error; the message is the stage's own sentence.
    """
    started = time.monotonic()
    changed = _changes(root, name, sleep, file)
    how: graph.How = "unchanged"
    if changed:
        board.started(name, changed)
        try:
            how = _reproduce(root, name, board=board, log=log, timeout=timeout, sleep=sleep, file=file)
        except BaseException:
            board.failed(name, time.monotonic() - started)
            raise
    outcome = Outcome(name=name, how=how, seconds=time.monotonic() - started, changes=changed)
    board.ended(outcome)
    return outcome


def _changes(root: Path, name: str, sleep: Callable[[float], None], file: str) -> tuple[str, ...]:
    for wait in WAITS:
        try:
            return graph.changes(root, name, file)
        except LockBusyError:
            sleep(wait)
    return graph.changes(root, name, file)


def _reproduce(
    root: Path,
    name: str,
    *,
    board: Board,
    log: Callable[[str], None],
    timeout: float | None,
    sleep: Callable[[float], None],
    file: str,
) -> graph.How:
    log_path = root / LOGS / f"{name}.log"
    log_path.parent.mkdir(parents=True, exist_ok=True)
    for wait in (*WAITS, None):
        with log_path.open("w", encoding="utf-8") as written:

            def take(line: str) -> None:
                print(line, file=written, flush=True)
                if not graph.own_words(line):
                    board.line(name, line)
                    log(line)

            ended = run_command(graph.repro_command(name, file), cwd=root, on_line=take, timeout=timeout)
        if ended.code == 0:
            return graph.how_it_ended(ended.lines)
        if wait is None or ended.timed_out or not graph.lock_busy(ended.lines):
            break
        take_note = f"another process holds a lock on the files of {name}; trying again in {wait:g} s"
        log(take_note)
        board.line(name, take_note)
        sleep(wait)
    raise failure(name, ended, log_path=LOGS / f"{name}.log", timeout=timeout)


def failure(name: str, ended: Ended, *, log_path: Path, timeout: float | None) -> StageFailedError:
    """What to tell about a stage that ended badly: its own sentence where it has one."""
    code = graph.exit_code(ended.lines)
    if ended.timed_out:
        words = f"stage {name} was stopped: it took longer than {timeout:g} s"
    elif graph.lock_busy(ended.lines):
        words = (
            f"stage {name} could not start: another DVC process is working on its files; wait for it to end"
        )
    elif said := sentence(ended.lines):
        words = f"stage {name}: {said}"
    elif code is not None and (code < 0 or code > 128):
        number = -code if code < 0 else code - 128
        killer = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
        hint = " (the memory may have run out)" if killer == "SIGKILL" else ""
        words = f"stage {name} was ended by {killer}{hint}; run again and it goes on"
    else:
        last = next((line for line in reversed(ended.lines) if line and "ERROR" not in line), "no output")
        words = f"stage {name} failed unexpectedly: {last.strip()}; all it said is in {log_path}"
    return StageFailedError(words, stage=name, exit_code=code if code is not None and 0 < code <= 128 else 1)


def sentence(lines: Sequence[str]) -> str:
    """The stage's own message (`error: ...` and the indented lines below it), or nothing."""
    said: list[str] = []
    for line in lines:
        if line.startswith("error: "):
            said = [line.removeprefix("error: ")]
        elif said and line.startswith("  "):
            said.append(line)
        elif said:
            break
    return "\n".join(said)
