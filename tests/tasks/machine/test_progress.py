"""Protects the progress lines: what a stage prints is what the live table reads."""

import io
import re

import pytest

from tasks.machine.progress import Progress, Step, duration, parse_progress


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def printed(stream: io.StringIO) -> list[str]:
    return stream.getvalue().splitlines()


def test_a_line_is_printed_at_most_every_interval_and_at_the_end() -> None:
    clock, stream = Clock(), io.StringIO()
    progress = Progress(10, "rows", stream=stream, clock=clock, interval=2.0)
    for done in range(1, 11):
        clock.now += 0.5
        progress.update(done)
    assert [re.match(r"progress (\d+)/10 rows", line)[1] for line in printed(stream)] == ["4", "8", "10"]  # type: ignore[index]


def test_the_end_is_printed_even_when_it_comes_at_once() -> None:
    stream = io.StringIO()
    Progress(1, "rows", stream=stream, clock=Clock()).update(1, loss=0.41234567)
    assert printed(stream) == ["progress 1/1 rows, loss 0.4123"]


def test_time_left_is_judged_by_what_this_process_did() -> None:
    clock, stream = Clock(), io.StringIO()
    progress = Progress(100, "steps", stream=stream, clock=clock, interval=0.0)
    progress.update(50)  # resumed in the middle
    clock.now += 10.0
    progress.update(60)
    assert printed(stream)[-1] == "progress 60/100 steps, 40s left"


def test_what_is_printed_is_parsed() -> None:
    clock, stream = Clock(), io.StringIO()
    progress = Progress(700, "rows", stream=stream, clock=clock, interval=0.0)
    progress.update(1)
    clock.now += 60.0
    progress.update(121, loss=0.5, phase="warm")
    assert parse_progress(printed(stream)[-1] + "\n") == Step(
        121, 700, "rows", "4m50s", "loss 0.5, phase warm"
    )
    assert parse_progress(printed(stream)[0]) == Step(1, 700, "rows", "", "")


@pytest.mark.parametrize(
    "line", ["", "progress", "progress 1/x rows", "clean: 3 of 4 rows kept", "in progress 1/2 rows"]
)
def test_other_lines_are_no_progress(line: str) -> None:
    assert parse_progress(line) is None


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0s"), (59.4, "59s"), (59.6, "1m00s"), (190, "3m10s"), (3900, "1h05m")]
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words
