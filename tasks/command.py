"""Runs one stage from the command line: `python -m tasks STAGE INPUTS --output PATH ...`.

The arguments follow from the stage's signature. Outputs are written beside their place and moved there
only when the stage has ended well, so a killed stage leaves nothing that could be taken for whole.
"""

import argparse
import contextlib
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from deploy.atomic import replacing
from deploy.errors import ThreeplyError
from deploy.files import sha256_of
from deploy.settings import Section
from tasks.errors import TrainingError
from tasks.machine.disk import plain_disk_errors
from tasks.machine.memory import peak_mib
from tasks.machine.process import environment, is_first, leave_processes, processes
from tasks.machine.settings import ParallelSettings
from tasks.rows.timings import record_timing
from tasks.settings import Settings, load_settings
from tasks.stages import ALL, LAB, RECIPES, Stage, load_stage

WORK = Path(".threeply/work")
PARALLEL = {"sft"}  # stages that several processes can run together
TIMINGS, OTHER_TIMINGS = Path("data/reports/stages.json"), Path("data/lab/stages.json")


def main(words: Sequence[str], *, prepare: Callable[[Mapping[str, str]], None] | None = None) -> int:
    """Run the stage that the command line names; the exit code tells how it went.

    `prepare` is given the variables that the stage wants in its environment, before anything heavy is
    imported; without it the process stays as it is.
    """
    name, params, rest = _split(words)
    try:
        settings = load_settings(params)
        if prepare:
            prepare(environment(settings.run.threads))
        stage = load_stage(name)
        paths = parser(stage).parse_args(rest)
        run_stage(stage, paths, sections_of(stage, settings))
    except ThreeplyError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(f"{name} was interrupted; run it again and it goes on", file=sys.stderr)
        return 130
    return 0


def sections_of(stage: Stage, settings: Settings) -> dict[str, Section | Mapping[str, Section]]:
    """The settings that a stage takes, by the names of its parameters."""
    return {
        name: settings.sections() if kind is None else settings.section(kind)
        for name, kind in stage.sections.items()
    }


def parser(stage: Stage) -> argparse.ArgumentParser:
    """The command line of a stage."""
    result = argparse.ArgumentParser(prog=f"python -m tasks {stage.name}", description=stage.function.__doc__)
    for position, name in enumerate(stage.inputs):
        last = stage.many and position == len(stage.inputs) - 1
        result.add_argument(name, type=Path, nargs="*" if last else None)
    if stage.prompted:
        result.add_argument(
            "--prompts", type=Path, required=True, help="the folder of the user's own templates"
        )
    for name in stage.outputs:
        result.add_argument(f"--{name.replace('_', '-')}", dest=name, type=Path, required=True)
    for name, plain in stage.values.items():
        result.add_argument(f"--{name}", type=plain, required=True)
    return result


@plain_disk_errors()
def run_stage(stage: Stage, paths: argparse.Namespace, sections: dict[str, Any]) -> None:
    """Run a stage with staged outputs, then record its time and peak memory.

    Where torchrun has started several processes, the first alone has outputs and speaks.

    Raises:
        TrainingError: there are several processes, and the stage is for one.
    """
    if processes() > 1 and stage.name not in PARALLEL:
        raise TrainingError(
            f"{stage.name} runs in one process, and torchrun has started {processes()}; start it without"
        )
    inputs: list[Path | None] = []
    for name in stage.inputs:
        value = getattr(paths, name)
        inputs += value if isinstance(value, list) else [value]
        if name in stage.optional and not value.exists():
            inputs[-1] = None
    values = {name: getattr(paths, name) for name in stage.values}
    label = "-".join([stage.name, *map(str, values.values())])
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        if not is_first():
            silence = stack.enter_context(Path(os.devnull).open("w", encoding="utf-8"))
            stack.enter_context(contextlib.redirect_stdout(silence))
        extra: dict[str, Any] = {
            name: stack.enter_context(replacing(getattr(paths, name))) if is_first() else getattr(paths, name)
            for name in stage.outputs
        }
        if stage.standing:
            first: Path = getattr(paths, stage.outputs[0])
            extra["before"] = first if first.exists() else None
        work = WORK / label
        if stage.resumable:
            own = [paths.prompts] if stage.prompted else []
            extra["work"] = work / work_key(filter(None, [*inputs, *own]), sections)
            extra["work"].mkdir(parents=True, exist_ok=True)
        stage.function(*inputs, **extra, **values, **sections)
        leave_processes()
    if not is_first():
        return
    if stage.resumable:
        shutil.rmtree(work, ignore_errors=True)  # the outputs are whole: nothing is left to resume
    timings = OTHER_TIMINGS if stage.name in {**LAB, **RECIPES} else TIMINGS
    record_timing(timings, label, seconds=time.monotonic() - started, peak_mib=peak_mib())


def _split(words: Sequence[str]) -> tuple[str, Path, list[str]]:
    """The stage's name, the params file and the stage's own words."""
    head = argparse.ArgumentParser(
        prog="python -m tasks", description="Run one stage of the chain.", add_help=False
    )
    head.add_argument("--params", type=Path, default=Path("params.yaml"))
    known, rest = head.parse_known_args(words)
    if not rest or rest[0] in ("-h", "--help"):
        _usage(0 if rest else 2)
    if rest[0] not in ALL:
        names = ", ".join(ALL)
        print(f"error: no stage is called {rest[0]!r}; the stages are {names}", file=sys.stderr)
        raise SystemExit(2)
    return rest[0], known.params, rest[1:]


def _usage(code: int) -> NoReturn:
    print("usage: python -m tasks [--params FILE] STAGE INPUT... --output PATH...\n\nstages:")
    print("\n".join(f"  {name}" for name in ALL))
    print("\nThe arguments of a stage: python -m tasks STAGE --help")
    raise SystemExit(code)


def work_key(inputs: Iterable[Path], sections: Mapping[str, Section]) -> str:
    """A short hash of the content of `inputs` and of the settings: equal work has an equal key.

    How many work on it is no matter: whoever goes on with fewer finds the finished shards.
    """
    settings = {
        name: section.model_dump(mode="json")
        for name, section in sections.items()
        if not isinstance(section, ParallelSettings)
    }
    # What is missing the stage itself tells of, if it needs it.
    sums = [sha256_of(path) if path.exists() else None for path in inputs]
    told = json.dumps([sums, settings], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:16]
