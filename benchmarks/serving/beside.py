"""A server beside a training on the same machine: what its clients get, and what the training still does."""

import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

from benchmarks.places import DATA, stage_command
from benchmarks.serving.load import Load
from deploy.errors import ThreeplyError
from flows.place import make_place
from tasks.machine.process import end_with_parent
from tasks.pages.numbers import DASH

PLACE = Path("build/serving")
INPUTS = ("splits", "models/base", "models/retriever", "index", "search")
_DONE = re.compile(r"^progress (\d+)/")


@dataclass(slots=True)
class Pace:
    """How far a training has come, by the clock of whoever reads what it prints."""

    steps: list[tuple[float, int]] = field(default_factory=list)

    def follow(self, lines: Iterator[str]) -> None:
        """Note each line of progress until there are no more."""
        for line in lines:
            if told := _DONE.match(line):
                self.steps.append((time.monotonic(), int(told[1])))

    def between(self, begin: float, end: float) -> float:
        """Rows a second between two times, by the last line before each."""
        first, last = (
            max((done for then, done in self.steps if then <= at), default=0) for at in (begin, end)
        )
        return (last - first) / (end - begin)


@contextmanager
def training(run: Path) -> Iterator[Pace]:
    """Fine-tuning on the rows and models of a finished `run`, under way when the block begins.

    Raises:
        ThreeplyError: it ends before it has begun to train.
    """
    place = PLACE.resolve()
    make_place(Path(), place, Path("params.yaml").read_text(encoding="utf-8"))
    inputs = [(run / DATA / name).resolve() for name in INPUTS]
    with subprocess.Popen(
        stage_command("sft", inputs, {name: name for name in ("adapter", "curve", "report")}),
        cwd=place,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=end_with_parent,  # noqa: PLW1509  (no other thread yet)
    ) as process:
        assert process.stdout is not None
        pace = Pace()
        reader = Thread(target=pace.follow, args=(iter(process.stdout),), daemon=True)
        reader.start()
        try:
            while len(pace.steps) < 2:
                if process.poll() is not None:
                    raise ThreeplyError(f"the training in {place} has ended; what it said stands above")
                time.sleep(0.2)
            yield pace
        finally:
            process.kill()
            reader.join()


def beside_table(found: Sequence[tuple[str, Load | None, float | None]]) -> list[str]:
    """A line for each way, with what one client got and how many rows a second the training went through."""
    wide = max(len(name) for name, *_ in found)
    lines = [f"{'':<{wide}}  answers/s  first text  whole answer  rows/s of the training"]
    for name, load, rows in found:
        got = (
            f"{load.a_second:>9.2f}  {load.first_text:>8.2f} s  {load.whole:>10.2f} s"
            if load
            else f"{DASH:>9}  {DASH:>10}  {DASH:>12}"
        )
        lines.append(f"{name:<{wide}}  {got}  {DASH if rows is None else format(rows, '.2f'):>6}")
    return lines
