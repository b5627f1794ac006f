"""Protects running one stage: left alone, run, failed with its own words, retried, timed out, ended."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from flows.errors import StageFailedError
from flows.process import Ended
from flows.stage import Outcome, failure, run_stage, sentence
from tests.waiting import wait_until


class Watcher:
    """A board that remembers."""

    def __init__(self, react: Callable[[str], None] = lambda _: None) -> None:
        self.running = ""
        self.seen: list[str] = []
        self._react = react

    def started(self, name: str, changes: Sequence[str]) -> None:
        self.running = name
        self.seen.append("started")

    def line(self, name: str, text: str) -> None:
        self.seen.append(text)
        self._react(text)

    def ended(self, outcome: Outcome) -> None:
        self.seen.append(outcome.how)

    def failed(self, name: str, seconds: float) -> None:
        self.seen.append("failed")


def behave(toy: Path, stage: str, how: str) -> None:
    (toy / "behaviour" / stage).write_text(how, encoding="utf-8")


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").split()[2]
    except FileNotFoundError:
        return False


def stage_pid(toy: Path, stage: str) -> int:
    path = toy / "pids" / stage
    wait_until(lambda: path.exists() and path.read_text(encoding="utf-8") != "")
    return int(path.read_text(encoding="utf-8"))


def test_a_changed_stage_runs_once_and_is_then_left_alone(toy: Path) -> None:
    watcher = Watcher()
    first = run_stage(toy, "clean", board=watcher, log=lambda _: None)
    second = run_stage(toy, "clean", board=watcher, log=lambda _: None)
    assert (first.how, second.how) == ("ran", "unchanged")
    assert watcher.seen == ["started", "clean has read start.txt", "ran", "unchanged"]
    assert "clean has read start.txt" in (toy / ".threeply/logs/clean.log").read_text(encoding="utf-8")


def test_a_stage_that_stops_the_chain_speaks_for_itself(toy: Path) -> None:
    behave(toy, "clean", "gate")
    with pytest.raises(StageFailedError, match=r"^stage clean: 12 of 20 rows were dropped; raise") as caught:
        run_stage(toy, "clean", board=Watcher(), log=lambda _: None)
    assert caught.value.exit_code == 3


def test_an_unexpected_failure_names_its_log(toy: Path) -> None:
    behave(toy, "clean", "crash")
    with pytest.raises(
        StageFailedError, match=r"failed unexpectedly: RuntimeError: nobody thought of this; .*clean\.log"
    ):
        run_stage(toy, "clean", board=Watcher(), log=lambda _: None)


def test_a_stage_past_its_time_is_ended_with_its_children(toy: Path) -> None:
    behave(toy, "clean", "sleep")
    started = time.monotonic()
    with pytest.raises(StageFailedError, match="took longer than 4 s"):
        run_stage(toy, "clean", board=Watcher(), log=lambda _: None, timeout=4.0)
    assert time.monotonic() - started < 20
    wait_until(lambda: not alive(stage_pid(toy, "clean")))  # killed, and gone a moment later


def test_an_interrupt_ends_the_stage_first(toy: Path) -> None:
    behave(toy, "clean", "sleep")

    def interrupt(text: str) -> None:
        if text.startswith("progress"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_stage(toy, "clean", board=Watcher(interrupt), log=lambda _: None)
    assert not alive(stage_pid(toy, "clean"))


def test_a_stage_does_not_outlive_a_runner_that_is_killed(toy: Path) -> None:
    behave(toy, "clean", "sleep")
    code = (
        "from pathlib import Path; from flows.stage import run_stage; from flows.board import PlainBoard; "
        "import sys; run_stage(Path(), 'clean', board=PlainBoard(sys.stdout), log=lambda _: None)"
    )
    runner = subprocess.Popen([sys.executable, "-c", code], cwd=toy, stdout=subprocess.DEVNULL)
    pid = stage_pid(toy, "clean")
    runner.kill()
    runner.wait()
    wait_until(lambda: not alive(pid))


def test_a_busy_lock_is_waited_for(toy: Path) -> None:
    (toy / ".dvc/tmp").mkdir(exist_ok=True)
    lock = toy / ".dvc/tmp/rwlock"
    holder = {"write": {str(toy / "clean.txt"): {"pid": os.getpid(), "cmd": "another run"}}}
    lock.write_text(json.dumps(holder), encoding="utf-8")
    waits: list[float] = []

    def free(seconds: float) -> None:
        waits.append(seconds)
        lock.unlink()

    outcome = run_stage(toy, "clean", board=Watcher(), log=lambda _: None, sleep=free)
    assert outcome.how == "ran"
    assert waits == [0.5]


def test_the_words_of_a_stage_are_its_error_and_the_indented_lines_below() -> None:
    lines = ["noise", "error: params.yaml: 2 settings are wrong", "  a: 1", "  b: 2", "ERROR: failed"]
    assert sentence(lines) == "params.yaml: 2 settings are wrong\n  a: 1\n  b: 2"


def test_a_stage_without_memory_is_told_so() -> None:
    ended = Ended(code=255, lines=("ERROR: failed to run: x, exited with -9",), timed_out=False)
    error = failure("sft", ended, log_path=Path("sft.log"), timeout=None)
    assert "SIGKILL (the memory may have run out)" in str(error)
    assert error.exit_code == 1
