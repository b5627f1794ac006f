"""Protects work on many things: the same results in their order wherever it is done, and no process left."""

import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from deploy.errors import SettingsError
from tasks.errors import SourceError, WorkerError
from tasks.machine.executors import Executor, InProcess, executing
from tasks.machine.settings import ParallelSettings
from tasks.machine.shards import make_shards

TWO = ParallelSettings(executor="local", workers=2)


def square(number: int) -> tuple[int, int]:
    return number * number, os.getpid()


def fail(number: int) -> int:
    if number == 3:
        raise SourceError("line 3 is broken")
    return number


def die(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    """Two processes for all that these tests do with them."""
    with executing(TWO, shards=9) as executor:
        yield executor


@pytest.fixture(scope="module")
def ray() -> Iterator[Executor]:
    """A Ray cluster of two workers on this machine."""
    pytest.importorskip("ray", reason="the extra ray is not installed")
    with executing(ParallelSettings(executor="ray", workers=2), shards=9) as executor:
        yield executor


@pytest.mark.parametrize("where", ["pool", "ray"])
def test_results_come_in_order_from_other_processes(where: str, request: pytest.FixtureRequest) -> None:
    found = list(request.getfixturevalue(where).map(square, range(20)))
    assert [result for result, _ in found] == [number * number for number in range(20)]
    assert os.getpid() not in {process for _, process in found}


@pytest.mark.parametrize("where", ["pool", "ray"])
def test_a_mistake_of_the_user_is_told_as_it_is(where: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises(SourceError, match=r"^line 3 is broken$"):
        list(request.getfixturevalue(where).map(fail, range(6)))


def test_things_are_taken_no_sooner_than_they_are_needed(pool: Executor) -> None:
    taken: list[int] = []
    results = pool.map(square, (taken.append(number) or number for number in range(100)))
    next(results)
    assert len(taken) <= 5


def test_a_lost_process_is_told_in_a_sentence_and_none_is_left() -> None:
    before = set(psutil.Process().children())
    told = r"set parallel\.workers lower and run again"
    with pytest.raises(WorkerError, match=told), executing(TWO, shards=9) as executor:
        list(executor.map(die, range(6)))
    assert set(psutil.Process().children()) <= before


@pytest.mark.parametrize(("workers", "shards"), [(1, 9), (2, 2)])
def test_what_is_small_needs_no_process(workers: int, shards: int) -> None:
    settings = ParallelSettings(executor="local", workers=workers)
    with executing(settings, shards=shards) as executor:
        assert list(executor.map(square, [2])) == [(4, os.getpid())]


def test_ray_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with (
        pytest.raises(SettingsError, match=r"pip install 'threeply\[ray\]'"),
        executing(ParallelSettings(executor="ray", workers=2), shards=9),
    ):
        pass


def written(most: int, number: int, place: Path) -> None:
    if number == most:
        raise SourceError("it ends here")
    place.write_text(f"{number} {time.monotonic_ns()}")


def test_shards_that_are_made_are_not_made_again(tmp_path: Path) -> None:
    told: list[int] = []
    with pytest.raises(SourceError):
        make_shards(InProcess(), partial(written, 2), tmp_path, 4, progress=told.append)
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert sorted(before) == ["000000", "000001"]  # and nothing half made
    paths = make_shards(InProcess(), partial(written, 9), tmp_path, 4, progress=told.append)
    assert [path.read_text().split()[0] for path in paths] == ["0", "1", "2", "3"]
    assert before.items() <= {path.name: path.read_text() for path in paths}.items()
    assert told == [0, 1, 2, 2, 3, 4]
