"""What is made of the shards of a table: one file or folder for each, so that a killed stage goes on."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from deploy.atomic import replacing
from tasks.machine.executors import Executor

Make = Callable[[int, Path], None]


def make_shards(
    executor: Executor, make: Make, folder: Path, count: int, *, progress: Callable[[int], object]
) -> Sequence[Path]:
    """The paths of what `make` has made of each of `count` shards, in their order, in `folder`.

    `make` is given the number of a shard, and a path to write a file or fill a folder at, which takes its
    place when it is whole: what is there already is not made again. It is a function of a module, or a
    `partial` of one, for it may run in another process. `progress` is told how many are done.
    """
    paths = [folder / f"{number:06d}" for number in range(count)]
    missing = [number for number, path in enumerate(paths) if not path.exists()]
    progress(count - len(missing))
    made = executor.map(partial(_make_one, make, folder), missing)
    for done, _ in enumerate(made, start=count - len(missing) + 1):
        progress(done)
    return paths


def _make_one(make: Make, folder: Path, number: int) -> None:
    with replacing(folder / f"{number:06d}") as place:
        make(number, place)
