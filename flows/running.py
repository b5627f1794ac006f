"""What `threeply run` and `threeply release` do around the flows: place, server, board, summary."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from deploy.prompts.sample import check_template
from deploy.settings import OWN_PROMPTS
from flows.api import Api, prefect_api, recorded
from flows.board import watching
from flows.early import EARLY
from flows.errors import InterruptedRunError, ReleaseError
from flows.graph import LAB, RECIPES, Graph, load_graph, prepare
from flows.history import refusal
from flows.place import make_place, occupied
from flows.release import BUNDLE, ROW, identity
from flows.stage import Board
from flows.summary import print_methods, print_recipe, print_summary
from flows.unchanged import unchanged
from tasks.machine.cache import VARIABLE, cache_folder
from tasks.machine.settings import overlay
from tasks.settings import Settings, check_settings, load_settings, read_params

NEEDED = ("split", "index", "rerank", "base")  # of the chain, by the lab: rows, knowledge and models
RECIPE_NEEDS = {"classify": ("split", "base"), "images": ()}  # of the chain, by each recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person asked of a run."""

    profile: str | None = None
    place: Path | None = None
    only: tuple[str, ...] = ()
    until: str | None = None
    timeout: float | None = None
    publishes: bool = True


def run(project: Path, wish: Wish) -> int:
    """Run the flow `adapt`; prints the ledger and what to do next."""
    root = _place(project, wish)
    prepare(root)
    with occupied(root):
        graph = load_graph(root)
        wanted = _wanted(graph, wish)
        names = tuple(name for name in graph.names if name in wanted)
        rows = _rows(graph, wanted, publishes=wish.publishes)
        if not unchanged(root, ((graph, names),), publishes=wish.publishes, rows=rows):
            with prefect_api(root) as api, _watched(api, rows) as board:
                from flows.adapt import Run, adapt

                asked = Run(
                    root=root,
                    graph=graph,
                    board=board,
                    wanted=wanted,
                    publishes=wish.publishes,
                    timeout=wish.timeout,
                )
                adapt(str(root), asked)
    print_summary(root)
    return 0


def compare(project: Path, wish: Wish) -> int:
    """Run the flow `compare`; prints the table of the methods and where its pages are."""
    root = _place(project, wish)
    _beside(root, wish, flow_name="compare", needed=NEEDED, file=LAB, goals=lambda graph: graph.names)
    print_methods(root)
    return 0


def recipe(project: Path, wish: Wish, name: str) -> int:
    """Run the recipe called `name` as a flow; prints the table of its methods."""
    root = _place(project, wish)

    def goals(graph: Graph) -> tuple[str, ...]:
        return graph.until(stage for stage in graph.names if stage.partition("@")[0] == name)

    _beside(root, wish, flow_name=f"recipe-{name}", needed=RECIPE_NEEDS[name], file=RECIPES, goals=goals)
    print_recipe(root, name)
    return 0


def _beside(
    root: Path,
    wish: Wish,
    *,
    flow_name: str,
    needed: tuple[str, ...],
    file: str,
    goals: Callable[[Graph], tuple[str, ...]],
) -> None:
    """Bring up to date what a second graph needs of the chain, then its own stages."""
    prepare(root)
    with occupied(root):
        chain, second = load_graph(root), load_graph(root, file)
        before, own = chain.until(needed), goals(second)
        rows = (*before, *own)
        if unchanged(root, ((chain, before), (second, own)), publishes=False, rows=rows):
            return
        with prefect_api(root) as api, _watched(api, rows) as board:
            from flows.adapt import Run
            from flows.lab import compare as flow

            def part(graph: Graph, names: tuple[str, ...]) -> Run:
                return Run(root=root, graph=graph, board=board, wanted=frozenset(names), timeout=wish.timeout)

            flow.with_options(name=flow_name)(str(root), (part(chain, before), part(second, own)))


def publish(root: Path) -> int:
    """Run the flow `release` without its stages: what lies in data/bundle is published.

    Raises:
        ReleaseError: there is no bundle, or it was withdrawn.
    """
    if refused := refusal(root, identity(root / BUNDLE)):
        raise ReleaseError(refused)
    prepare(root)
    with occupied(root), prefect_api(root) as api, _watched(api, (ROW,)) as board:
        from flows.adapt import Run, release

        release(str(root), Run(root=root, graph=load_graph(root), board=board, wanted=frozenset()))
    print("Serve it with: threeply serve")
    return 0


def _wanted(graph: Graph, wish: Wish) -> frozenset[str]:
    for name in (*wish.only, *([wish.until] if wish.until else [])):
        graph.needs(name)  # a stage that is not there is told here
    return frozenset(wish.only or (graph.until([wish.until]) if wish.until else graph.names))


def _rows(graph: Graph, wanted: frozenset[str], *, publishes: bool) -> tuple[str, ...]:
    """The rows of the board: the stages, each with the release after it, and the last release."""
    rows: list[str] = []
    for name in graph.names:
        if name in wanted:
            rows += [name, *(early.row for early in EARLY if publishes and early.after == name)]
    return (*rows, *([ROW] if publishes else []))


def _place(project: Path, wish: Wish) -> Path:
    """Where to run: the project, or a copy under the settings of a profile."""
    params = project / "params.yaml"
    if wish.profile is None and wish.place is None:
        _check_prompt(project, load_settings(params))
        return project
    values, origin = read_params(params), "params.yaml"
    if wish.profile is not None:
        path = project / "profiles" / f"{wish.profile}.yaml"
        origin = f"params.yaml with profiles/{wish.profile}.yaml"
        values = overlay(values, read_params(path))
    _check_prompt(project, check_settings(values, origin=origin))
    place = project / (wish.place or Path("build") / str(wish.profile))
    make_place(project, place, _yaml(values))
    os.environ[VARIABLE] = str(cache_folder(project).resolve())  # models are downloaded once
    return place


def _check_prompt(project: Path, settings: Settings) -> None:
    """Be sure of the prompt before an hour of work that needs it, and that the folder of own ones is there.

    DVC refuses to run a stage whose dependency is missing.
    """
    check_template(settings.prompt.template, project)
    (project / OWN_PROMPTS).mkdir(parents=True, exist_ok=True)


@contextmanager
def _watched(api: Api, rows: tuple[str, ...]) -> Iterator[Board]:
    """A board for `rows`, once Prefect answers; an interrupt is told in words."""
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    import flows.adapt  # noqa: F401 (while the server starts)

    api.wait()
    # Heartbeats are for servers that look for dead runs; each flow would end a second later for them.
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}), recorded(), watching(rows) as board:
        try:
            yield board
        except KeyboardInterrupt:
            at = board.running
            raise InterruptedRunError(
                f"interrupted{f' in {at}' if at else ''}; nothing runs any more. Run it again and it goes on"
                + (f" from {at}" if at else "")
            ) from None


def _yaml(values: dict[str, Any]) -> str:
    from ruamel.yaml import YAML

    text = StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.dump(values, text)
    return text.getvalue()
