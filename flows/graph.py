"""The stage graph as dvc.yaml tells it: the only module that knows DVC."""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from flows.errors import GraphError, LockBusyError, PlaceError

How = Literal["unchanged", "restored", "ran"]
CHAIN, LAB, RECIPES = "dvc.yaml", "lab/dvc.yaml", "recipes/dvc.yaml"
NEVER = "it has not run here yet"
_EXIT = re.compile(r"exited with (-?\d+)")
_BUSY = ("Unable to acquire lock", "is busy, it is being blocked by")
_OWN_WORDS = (
    *("Running stage '", "> ", "Generating lock file", "Updating lock file", "Use `dvc push`"),
    *("To track the changes", "To enable auto staging", "Stage '"),
)
_UNCHANGED = "didn't change, skipping"
_RESTORED = "is cached - skipping run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """All stages of one file, each with those whose outputs it reads, and after them.

    Among stages that could run at the same time, the order is that of the file.
    """

    stages: Mapping[str, tuple[str, ...]]
    file: str = CHAIN

    @property
    def names(self) -> tuple[str, ...]:
        """The stages in the order in which they run."""
        return tuple(self.stages)

    def needs(self, name: str) -> tuple[str, ...]:
        """The stages directly before `name`.

        Raises:
            GraphError: there is no such stage.
        """
        if name not in self.stages:
            raise GraphError(f"{self.file} has no stage {name!r}; its stages are {', '.join(self.names)}")
        return self.stages[name]

    def until(self, goals: Iterable[str]) -> tuple[str, ...]:
        """`goals` and everything that they need, in order."""
        wanted: set[str] = set()
        waiting = list(goals)
        while waiting:
            name = waiting.pop()
            if name not in wanted:
                wanted.add(name)
                waiting += self.needs(name)
        return tuple(name for name in self.names if name in wanted)


def load_graph(root: Path, file: str = CHAIN) -> Graph:
    """The graph of the stages in the dvc.yaml called `file` below `root`; those of other files are left out.

    Raises:
        GraphError: dvc.yaml is missing or wrong, or two stages write the same path.
    """
    with _repo(root) as repo:
        mine = [stage for stage in repo.index.stages if stage.cmd and stage.path_in_repo == file]
        before: dict[str, list[str]] = {stage.name: [] for stage in mine}
        for stage, needed in repo.index.graph.edges:
            if stage in mine and needed in mine:
                before[stage.name].append(needed.name)
    return Graph(stages=dict(_ordered(before)), file=file)


def changes(root: Path, name: str, file: str = CHAIN) -> tuple[str, ...]:
    """What has changed for a stage since it last ran, in words; empty when nothing has.

    Looks at this stage alone, not at those before it.
    """
    with _repo(root) as repo:
        if name not in _recorded(root, file):
            return (NEVER,)
        # In full: a bare name would be looked up in the dvc.yaml of the current folder.
        entries = repo.status(targets=[f"{root.resolve() / file}:{name}"])
        changed = _reasons(next(iter(entries.values()), []))
        keys = {
            key
            for stage in repo.index.stages
            if (stage.path_in_repo, stage.name) == (file, name)
            for key in _changed_keys(stage)
        }
    sections = {key.partition(".")[0] for key in keys}
    other = tuple(reason for reason in changed if reason.removesuffix(" modified") not in sections)
    return (*(f"{key} modified" for key in sorted(keys)), *other)


def stale(root: Path, graph: Graph, names: Iterable[str] | None = None) -> dict[str, tuple[str, ...]]:
    """The changes of every stage of `graph` that has some, or of those of its stages called `names`.

    Looks at each stage as things lie now: one that comes after a changed one may have no changes yet.
    """
    from dvc.repo import lock_repo

    wanted = tuple(graph.names if names is None else names)
    recorded = _recorded(root, graph.file)
    # Not `repo.status`: it reads dvc.yaml and dvc.lock again for each stage that it is asked about.
    with _repo(root) as repo, lock_repo(repo):
        mine = {stage.name: stage for stage in repo.index.stages if stage.path_in_repo == graph.file}
        told = {name: mine[name].status(check_updates=True) for name in wanted if name in recorded}
    found = {name: _reasons(next(iter(entry.values()))) for name, entry in told.items() if entry}
    return {name: found.get(name, (NEVER,)) for name in wanted if name in found or name not in recorded}


def prepare(root: Path) -> None:
    """Make `root` a DVC workspace if it is none yet; git is not needed."""
    if (root / ".dvc" / "config").exists():
        return
    command = [sys.executable, "-m", "dvc", "init", "--no-scm", "--quiet"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PlaceError(f"{root} cannot be made a DVC workspace: {done.stderr.strip()}")


def repro_command(name: str, file: str = CHAIN) -> list[str]:
    """The command that runs one stage and records it."""
    target = name if file == CHAIN else f"{file}:{name}"
    return [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "-s", target]


def how_it_ended(lines: Sequence[str]) -> How:
    """`unchanged`, `restored` (from the run cache) or `ran`, by what a successful repro printed."""
    for line in lines:
        if _UNCHANGED in line:
            return "unchanged"
        if _RESTORED in line:
            return "restored"
    return "ran"


def own_words(line: str) -> bool:
    """Whether DVC says this of itself, and not the stage."""
    return line.lstrip().startswith(_OWN_WORDS) or not line.strip()


def lock_busy(lines: Sequence[str]) -> bool:
    """Whether another DVC process held a lock; DVC never waits for the lock of a path."""
    return any(sign in line for line in lines for sign in _BUSY)


def exit_code(lines: Sequence[str]) -> int | None:
    """The stage's own exit code; DVC itself always ends with 255."""
    for line in reversed(lines):
        if found := _EXIT.search(line):
            return int(found[1])
    return None


def _recorded(root: Path, file: str) -> set[str]:
    """The stages of a file that have run here."""
    from ruamel.yaml import YAML

    path = (root / file).with_suffix(".lock")
    if not path.exists():
        return set()
    return set((YAML(typ="safe").load(path) or {}).get("stages", {}))


@contextmanager
def _repo(root: Path) -> Iterator[Any]:
    from dvc.exceptions import DvcException
    from dvc.lock import LockError
    from dvc.repo import Repo

    if not (root / "dvc.yaml").exists():
        raise GraphError(f"{root / 'dvc.yaml'} is not there; run the command in the project's folder")
    try:
        with Repo(str(root)) as repo:
            yield repo
    except LockError as error:
        raise LockBusyError(f"another DVC process works in {root}; wait for it to end") from error
    except DvcException as error:
        raise GraphError(f"DVC cannot read the stages of {root}: {error}") from error


def _ordered(before: dict[str, list[str]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Stages with their needs, in topological order; of those that are ready, the first in dvc.yaml first."""
    done: set[str] = set()
    while len(done) < len(before):
        name = next(n for n, needs in before.items() if n not in done and done.issuperset(needs))
        done.add(name)
        yield name, tuple(needed for needed in before if needed in before[name])


def _reasons(entries: Iterable[Any]) -> tuple[str, ...]:
    """DVC's status of a stage as short phrases such as `sft.rank modified`."""
    found: list[str] = []
    for entry in entries:
        if isinstance(entry, str):
            found.append(entry)
            continue
        for paths in entry.values():
            for path, state in paths.items():
                if isinstance(state, dict):  # params.yaml: one state a key
                    found += [f"{key} {value}" for key, value in state.items()]
                else:
                    found.append(f"{path} {state}")
    return tuple(found)


def _changed_keys(stage: Any) -> Iterator[str]:
    """The single settings that differ from those of the last run; DVC's status names their section alone."""
    from dvc.dependency import ParamsDependency

    for dependency in stage.deps:
        if isinstance(dependency, ParamsDependency) and dependency.hash_info.value:
            now = dependency.read_params()
            for section, before in dependency.hash_info.value.items():
                yield from _differences(section, before, now.get(section))


def _differences(key: str, before: Any, now: Any) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        for name in {**before, **now}:
            yield from _differences(f"{key}.{name}", before.get(name), now.get(name))
    elif before != now:
        yield key
