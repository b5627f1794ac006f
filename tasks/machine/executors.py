"""Where a function is applied to many things: in this process, in several, or on a Ray cluster.

None of them changes a result: things are worked on alone, and what comes of them is given in their order.
"""

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, Protocol, TypeVar

from deploy.errors import SettingsError
from tasks.errors import WorkerError
from tasks.machine.process import QUIET, cores, end_with_parent
from tasks.machine.settings import ParallelSettings

T = TypeVar("T")
R = TypeVar("R")
FEW = 2  # shards for which no process is started: they would be done before it has its imports
_AHEAD = 2  # things that wait for each worker, so that none is idle; more would fill the memory


class Executor(Protocol):
    """Applies a function to many things."""

    def map(self, act: Callable[[T], R], things: Iterable[T]) -> Iterator[R]:
        """What `act` makes of each of the `things`, in their order; they are taken as they are needed.

        `act` is a function of a module, or a `partial` of one: it may run in another process, on another
        machine, or twice where one is lost. So what it writes it writes atomically.

        Raises:
            WorkerError: a process was lost, most often for want of memory.
        """
        ...


@contextmanager
def executing(settings: ParallelSettings, *, shards: int) -> Iterator[Executor]:
    """The executor that params.yaml asks for, for work on so many shards; what it starts ends with the block.

    Raises:
        SettingsError: it is Ray, which is not installed.
    """
    workers = cores() if settings.workers == "auto" else settings.workers
    if settings.executor == "ray":
        with _ray(workers) as on_ray:
            yield on_ray
    elif shards <= FEW or workers == 1:
        yield InProcess()
    else:
        workers = min(workers, shards)
        # Forking a process that has threads, as Arrow's, can lock it up.
        pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_begin)
        try:
            yield _Processes(pool, workers)
        finally:
            pool.shutdown(cancel_futures=True)


class InProcess:
    """Does one thing after the other."""

    def map(self, act: Callable[[T], R], things: Iterable[T]) -> Iterator[R]:
        """What `act` makes of each of the `things`, in their order."""
        return map(act, things)


class _Processes:
    """Shares things among the processes of a pool."""

    def __init__(self, pool: ProcessPoolExecutor, workers: int) -> None:
        self._pool, self._workers = pool, workers

    def map(self, act: Callable[[T], R], things: Iterable[T]) -> Iterator[R]:
        def submit(thing: T) -> "Future[R]":
            return self._pool.submit(act, thing)

        try:
            yield from _in_order(submit, Future.result, things, most=_AHEAD * self._workers)
        except BrokenProcessPool:
            raise WorkerError(
                f"one of {self._workers} worker processes was lost, most often for want of memory; set "
                "parallel.workers lower and run again: finished shards are kept"
            ) from None


class _Ray:
    """Shares things among the workers of a Ray cluster; files are where they are for all of its machines."""

    def __init__(self, ray: Any, workers: int) -> None:
        self._ray, self._workers = ray, workers

    def map(self, act: Callable[[T], R], things: Iterable[T]) -> Iterator[R]:
        remote = self._ray.remote(_apply)
        shared = self._ray.put(act)

        def submit(thing: T) -> Any:
            return remote.remote(shared, thing)

        try:
            yield from _in_order(submit, self._ray.get, things, most=_AHEAD * self._workers)
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause from None  # which Ray wraps in the traceback of its worker
        except self._ray.exceptions.RayError as error:
            raise WorkerError(
                f"Ray has lost a worker: {error}; run again: finished shards are kept"
            ) from None


@contextmanager
def _ray(workers: int) -> Iterator[Executor]:
    """Ray on this machine, or on the cluster that RAY_ADDRESS names."""
    os.environ.update(QUIET)  # Ray reports how it is used unless it is told not to before it is imported
    try:
        import ray
    except ImportError:
        raise SettingsError(
            "parallel.executor is ray, which is not installed: pip install 'threeply[ray]', or set local"
        ) from None
    here = {} if os.environ.get("RAY_ADDRESS") else {"num_cpus": workers, "include_dashboard": False}
    ray.init(**here, logging_level="ERROR")
    try:
        yield _Ray(ray, round(ray.cluster_resources().get("CPU", workers)))
    finally:
        ray.shutdown()


def _in_order(
    submit: Callable[[T], Any], result: Callable[[Any], R], things: Iterable[T], *, most: int
) -> Iterator[R]:
    """The results of things in their order; of these `most` are under way."""
    running: deque[Any] = deque()
    for thing in things:
        running.append(submit(thing))
        if len(running) >= most:
            yield result(running.popleft())
    while running:
        yield result(running.popleft())


def _apply(act: Callable[[T], R], thing: T) -> R:
    return act(thing)


def _begin() -> None:
    """A worker ends with the stage that has started it, and leaves it to that to be interrupted."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    # The other cores are for the other workers.
    os.environ.update({"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"})
