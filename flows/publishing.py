"""Publishing as steps that Prefect shows: verify, ask, swap. What was served before stays where one fails."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger
from prefect.states import Completed

from deploy.errors import ThreeplyError
from flows.early import EARLY, Early, standing_release, stands_above
from flows.errors import FlowError
from flows.graph import How
from flows.history import CURRENT, changing, current, refusal, withdraw_release
from flows.release import BUNDLE, ROW, ReleaseCandidate, candidate, identity, making
from flows.stage import Board, Outcome


@task(name="check", task_run_name="{what}", cache_policy=NO_CACHE, persist_result=False)
def step(what: str, work: Callable[[], State[None]]) -> State[None]:
    """One step of a release; the message of its state tells what came of it."""
    state = work()
    get_run_logger().info("%s: %s", what, state.message)
    return state


def publish(root: Path, board: Board) -> None:
    """Release the bundle that the chain has made, unless it was withdrawn.

    Raises:
        ReleaseError, BundleError: it was not; what was served before still is.
    """
    name = identity(root / BUNDLE)
    if current(root) == name:
        _unchanged(board, ROW, f"{CURRENT} is {name} already")
        return
    if refused := refusal(root, name):
        board.line(ROW, refused)
        _unchanged(board, ROW, refused)
        return

    def work() -> How:
        _release(board, ROW, candidate(root, root / BUNDLE))
        return "ran"

    _watched(board, ROW, f"bundle {name}", work)


def publish_early(root: Path, board: Board, early: Early, *, fresh: bool, tells: bool) -> None:
    """Release the layers that are ready, unless something better stands.

    A failure is told, and the run goes on: the complete release does not need this one. `fresh` says whether
    this run has made the last of the layers, `tells` whether it has made anything: in one that changes
    nothing nobody wants to know why nothing is released.
    """
    better = stands_above(root, early)
    if better and tells:
        board.line(early.row, better)
    if better or not early.ready(root):
        _unchanged(board, early.row, better or "its stage was skipped")
    elif early.tuned and not fresh:
        _unchanged(board, early.row, "an earlier run has had this model, and the gate may have refused it")
    else:
        _publish_made(root, board, early)


def withdraw(root: Path, board: Board) -> None:
    """Go back to the first early release where a later one has the tuned model, which is refused now.

    That one is withdrawn: `threeply rollback` is not to come back to it. The first may be released even if
    somebody has gone back on it: the refusal weighs more.
    """
    standing, name = standing_release(root), current(root)
    if name is not None and standing is not None and standing.partial and len(standing.models) > 1:
        board.line(EARLY[0].row, f"{name} has the model that is refused: back to {EARLY[0].layers}")
        _publish_made(root, board, EARLY[0], instead_of=name)


def _publish_made(root: Path, board: Board, early: Early, *, instead_of: str | None = None) -> None:
    """Make the bundle of `early` and release it, unless it was withdrawn; a failure is told.

    The release `instead_of`, if there is one, is refused, and withdrawn first.
    """

    def work() -> How:
        if instead_of is not None:
            with changing(root):
                withdraw_release(root, instead_of, "the stage bundle has refused its model")
        with making(root) as made:
            early.fill(root, made)
            name = identity(made)
            if name == current(root):
                return "unchanged"
            if instead_of is None and (refused := refusal(root, name)):
                board.line(early.row, refused)
                return "unchanged"
            _release(board, early.row, candidate(root, made, take=Path.rename))
            board.line(early.row, f"{early.layers} answers: threeply serve")
            return "ran"

    try:
        _watched(board, early.row, early.layers, work)
    except (ThreeplyError, OSError) as error:
        told = f"{early.layers} is not released, and the run goes on: {error}"
        board.line(early.row, told)
        get_run_logger().warning(told)


def completed(state: State[Any]) -> State[Any]:
    """`state`, or the error that ended it.

    Raises:
        FlowError: the task did not complete.
    """
    if state.is_completed():
        return state
    error = state.result(raise_on_failure=False)
    if isinstance(error, BaseException):
        raise error
    raise FlowError(f"a task ended in the state {state.name}: {state.message}")


def _watched(board: Board, row: str, what: str, work: Callable[[], How]) -> None:
    """Do `work` under a row of the board."""
    started = time.monotonic()
    board.started(row, (what,))
    try:
        how = work()
    except BaseException:
        board.failed(row, time.monotonic() - started)
        raise
    board.ended(Outcome(name=row, how=how, seconds=time.monotonic() - started, changes=()))


def _release(board: Board, row: str, opening: AbstractContextManager[ReleaseCandidate]) -> None:
    """Verify, ask, swap; where any of them fails, what was served before still is."""
    with opening as bundle:
        for what, work in (("verify", bundle.verify), ("ask", bundle.ask), ("publish", bundle.publish)):
            board.line(row, what)
            completed(step(what, _telling(work), return_state=True))


def _unchanged(board: Board, row: str, why: str) -> None:
    state: State[None] = Completed(name="Cached", message=why)
    completed(step("publish", lambda: state, return_state=True))
    board.ended(Outcome(name=row, how="unchanged", seconds=0.0, changes=()))


def _telling(work: Callable[[], str]) -> Callable[[], State[None]]:
    return lambda: Completed(message=work())
