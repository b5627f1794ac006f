"""The stages that prepare rows, by dvc.yaml's own commands, in a folder of their own; what each has used."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.places import changed
from deploy.errors import ThreeplyError
from tasks.machine.process import environment
from tasks.settings import load_settings

PROJECT = Path(__file__).resolve().parents[2]
SOURCES = Path("sources")
PREPARING = ("collect", "clean", "validate", "gate", "split")


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What a process and those that it has waited for have used; `peak_mib` is that of the largest."""

    cpu_seconds: float
    peak_mib: float


def make_place(place: Path, sources: Sequence[Mapping[str, Any]], **sections: Mapping[str, Any]) -> None:
    """A folder with dvc.yaml and params.yaml of this project, with other sources and a gate that is open.

    `sections` are further values of params.yaml. What the stages drop is to be counted here, so no share of
    it may stop them.
    """
    (place / SOURCES).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(PROJECT / "dvc.yaml", place / "dvc.yaml")
    gate = load_settings(PROJECT / "params.yaml").gate.model_dump(mode="json")
    shares = {
        name: 1.0
        for name, value in gate.items()
        if isinstance(value, int | float) and value not in (True, False)
    }
    values: dict[str, Mapping[str, Any]] = {
        "gate": shares,
        "collect": {"sources": list(sources)},
        "validate": {"min_examples": 0},
    }
    given = {name: {**values.get(name, {}), **sections.get(name, {})} for name in {**values, **sections}}
    text = changed((PROJECT / "params.yaml").read_text(encoding="utf-8"), given)
    (place / "params.yaml").write_text(text, encoding="utf-8")


Watching = Callable[[int], AbstractContextManager[object]]  # of the process with this id, while it runs


def run_stage(place: Path, stage: str, *, watching: Watching = nullcontext) -> Used:
    """Run a stage in `place` as dvc.yaml says.

    Raises:
        ThreeplyError: it has failed; the message ends with what it said.
    """
    from ruamel.yaml import YAML

    stages = YAML(typ="safe").load(place / "dvc.yaml")["stages"]
    words = shlex.split(stages[stage]["cmd"])
    return run_process([sys.executable, *words[1:]], place, watching=watching)


def run_process(
    command: Sequence[str], place: Path, *, path: str = str(PROJECT), watching: Watching = nullcontext
) -> Used:
    """Run a command in `place` under the environment of stages, with this project (or `path`) to import from.

    Raises:
        ThreeplyError: it has failed; the message ends with what it said.
    """
    threads = environment(load_settings(PROJECT / "params.yaml").run.threads)
    with (
        subprocess.Popen(
            list(command),
            cwd=place,
            env={**os.environ, **threads, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
        watching(process.pid),
    ):
        said = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)  # tells what this child alone has used
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise ThreeplyError(f"{shlex.join(command)} has failed:\n{said.strip()[-2000:]}")
    return Used(cpu_seconds=usage.ru_utime + usage.ru_stime, peak_mib=usage.ru_maxrss / 1024)
