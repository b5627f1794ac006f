"""The flow `adapt`, made of three flows that can run and be scheduled by themselves.

`prepare_data` makes clean, split rows; `train` makes the index and the adapters; `release` measures,
bundles and publishes. What is ready before that goes live in between (`flows/early.py`). Which stages there
are, and in which order, stands in dvc.yaml alone: a flow names the stage that it works towards and takes
along whatever that stage needs.

Stages run one after the other: each of them uses all cores, or the one accelerator.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger
from prefect.states import Completed
from pydantic import SkipValidation

from flows import artifacts
from flows.board import PlainBoard
from flows.early import EARLY
from flows.errors import StageFailedError
from flows.graph import Graph, load_graph
from flows.place import occupied
from flows.publishing import completed, publish, publish_early, withdraw
from flows.stage import Board, Outcome, run_stage
from tasks.errors import GateError

ROWS, ADAPTERS = "split", "rlhf"  # the stages that `prepare_data` and `train` work towards
BUNDLE = "bundle"  # the stage that refuses a model which has forgotten too much


@dataclass(slots=True, kw_only=True)
class Run:
    """One run: where, what, who watches, and how it has gone so far."""

    root: Path
    graph: Graph
    board: Board
    wanted: frozenset[str]
    publishes: bool = True
    timeout: float | None = None
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    states: dict[str, State[Any]] = field(default_factory=dict)

    def phase(self, name: str) -> tuple[str, ...]:
        """The wanted stages of one of the three flows, in order.

        `train` has all that comes before the last adapter: what goes live early is not to wait for it.
        """
        names = tuple(self.graph.names)
        rows = self.graph.until([ROWS] if ROWS in names else [])
        adapters = names[: names.index(ADAPTERS) + 1] if ADAPTERS in names else ()
        mine = {
            "prepare_data": rows,
            "train": tuple(stage for stage in adapters if stage not in rows),
            "release": tuple(stage for stage in names if stage not in {*rows, *adapters}),
        }[name]
        return tuple(stage for stage in mine if stage in self.wanted)

    def changed(self, stages: tuple[str, ...]) -> bool:
        """Whether any of these stages has new outputs."""
        return any(self.outcomes[stage].how != "unchanged" for stage in stages)


# A schedule gives no run: only this module's callers do, and Prefect need not understand it.
GivenRun = Annotated[Run | None, SkipValidation]


def open_run(root: Path, board: Board | None = None) -> Run:
    """A run of everything in `root`."""
    graph = load_graph(root)
    return Run(root=root, graph=graph, board=board or PlainBoard(sys.stdout), wanted=frozenset(graph.names))


@task(name="stage", task_run_name="{name}", cache_policy=NO_CACHE, persist_result=False)
def stage(name: str, run: Run) -> State[None]:
    """Bring one stage up to date; `Cached` where nothing had to be done."""
    logger = get_run_logger()
    outcome = run_stage(
        run.root, name, board=run.board, log=logger.info, timeout=run.timeout, file=run.graph.file
    )
    run.outcomes[name] = outcome
    if outcome.how == "ran":
        return Completed(message=f"ran because of {', '.join(outcome.changes)}")
    if outcome.how == "restored":
        return Completed(name="Cached", message="an earlier run had the same inputs; its outputs are back")
    return Completed(name="Cached", message="nothing that it reads has changed")


@flow(name="prepare_data", validate_parameters=False, persist_result=False)
def prepare_data(root: str = ".", run: GivenRun = None) -> None:
    """Clean, checked and split rows, with row accounting: what became of each."""
    with _opened(root, run) as mine:
        names = run_stages(mine, mine.phase("prepare_data"))
        if mine.changed(names):
            artifacts.rows(mine.root)
            artifacts.gate(mine.root)


@flow(name="train", validate_parameters=False, persist_result=False)
def train(root: str = ".", run: GivenRun = None) -> None:
    """The search index and the adapters, with their curves."""
    with _opened(root, run) as mine:
        names = run_stages(mine, mine.phase("train"), after=_going_live(mine))
        if mine.changed(names):
            artifacts.curves(mine.root)


@flow(name="release", validate_parameters=False, persist_result=False)
def release(root: str = ".", run: GivenRun = None) -> None:
    """The ledger, the report and the bundle, which is served from now on; or all stays as it was."""
    with _opened(root, run) as mine:
        try:
            names = run_stages(mine, mine.phase("release"), after=_going_live(mine))
        except StageFailedError as error:
            if mine.publishes and (error.stage, error.exit_code) == (BUNDLE, GateError.exit_code):
                withdraw(mine.root, mine.board)
            raise
        if mine.changed(names):
            artifacts.ledger(mine.root)
        if mine.publishes:
            publish(mine.root, mine.board)


@flow(name="adapt", validate_parameters=False, persist_result=False)
def adapt(root: str = ".", run: GivenRun = None) -> None:
    """From sources to a served bundle: everything that has changed since the last time."""
    with _opened(root, run) as mine:
        prepare_data(root, mine)
        train(root, mine)
        release(root, mine)
        artifacts.stages(mine.outcomes.values())


@contextmanager
def _opened(root: str, run: Run | None) -> Iterator[Run]:
    """The given run, whose caller keeps others out; or, as on a schedule, one of its own, which does."""
    if run is not None:
        yield run
    else:
        with occupied(Path(root)):
            yield open_run(Path(root))


def run_stages(
    run: Run, names: tuple[str, ...], *, after: Callable[[str], object] = lambda _: None
) -> tuple[str, ...]:
    """Bring these stages up to date, one after the other; their names. `after` is told of each that is.

    Raises:
        FlowError: one has failed; those after it have not begun.
    """
    for name in names:
        before = [run.states[needed] for needed in run.graph.needs(name) if needed in run.states]
        run.states[name] = completed(stage(name, run, wait_for=before, return_state=True))
        after(name)
    return names


def _going_live(run: Run) -> Callable[[str], None]:
    """Releases what is ready after a stage, in a run that publishes."""

    def after(name: str) -> None:
        for early in EARLY if run.publishes else ():
            if early.after == name:
                fresh, tells = run.changed((name,)), run.changed(tuple(run.outcomes))
                publish_early(run.root, run.board, early, fresh=fresh, tells=tells)

    return after
