"""Runs of the chain, or of one stage of it, in a copy of the project under other settings."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.atomic import write_json
from deploy.errors import ThreeplyError
from flows.place import make_place
from tasks.machine.cache import VARIABLE, cache_folder
from tasks.machine.settings import overlay
from tasks.methods.lora import LoraSettings
from tasks.settings import Settings, check_settings, load_settings, read_params

if TYPE_CHECKING:
    from deploy.assistant import Assistant

DATA = Path("data")
DONE = "done.json"  # that a place has been trained: under which settings, and how long it took


def changed(params: str, values: Mapping[str, Mapping[str, Any]]) -> str:
    """The text of a params.yaml with other values, section by section; comments stay."""
    from ruamel.yaml import YAML

    yaml, text = YAML(), StringIO()
    known = yaml.load(params)
    for section, own in values.items():
        known[section] |= own
    yaml.dump(known, text)
    return text.getvalue()


def nested(words: Sequence[str]) -> dict[str, Any]:
    """`section.key=value` words as nested settings; values are YAML."""
    from ruamel.yaml import YAML

    found: dict[str, Any] = {}
    for word in words:
        path, _, value = word.partition("=")
        own: Any = YAML(typ="safe").load(value)
        for key in reversed(path.split(".")):
            own = {key: own}
        found = overlay(found, own)
    return found


def params_with(path: Path, section: str, words: Sequence[str]) -> tuple[str, Settings]:
    """The text of a params.yaml with these words of one section, and the settings; comments stay.

    Raises:
        SettingsError: one of them is unknown or wrong.
    """
    text, own = path.read_text(encoding="utf-8"), nested(words)
    if not own:
        return text, load_settings(path)
    values = overlay(read_params(path), {section: own})
    settings = check_settings(values, origin=f"{path} with {' '.join(words)}")
    return changed(text, {section: {key: values[section][key] for key in own}}), settings


def lora_of(settings: Settings) -> LoraSettings:
    """The settings of LoRA, whichever method is chosen."""
    found = settings.sft.model_copy(update={"method": "lora"}).chosen
    assert isinstance(found, LoraSettings)
    return found


def folder_name(words: Sequence[str]) -> str:
    """A name for the place of these settings."""
    return re.sub(r"[^A-Za-z0-9_.=-]+", "-", " ".join(words)).strip("-.")


def assistant_of(data: Path, settings: Settings) -> "Assistant":
    """What composes the prompts of the run whose outputs lie in `data`, as it serves; it cannot answer."""
    from tasks.rows.grounding import composer

    return composer(
        data / "index",
        data / "models" / "retriever",
        retrieval=settings.retrieval,
        prompt=settings.prompt,
        generation=settings.generation,
    )


def run_chain(project: Path, place: Path, *words: str) -> None:
    """Run `threeply run WORDS` in `place`, without a release, on the models that `project` has fetched.

    Raises:
        ThreeplyError: it has failed (it has told why).
    """
    shared = {**os.environ, VARIABLE: str(cache_folder(project).resolve())}
    command = [sys.executable, "-m", "flows", "run", "--no-release", *words]
    if subprocess.run(command, cwd=place, env=shared, check=False).returncode:
        raise ThreeplyError(f"the run in {place} has failed; what it said stands above")


def run_stage(place: Path, stage: str, inputs: Sequence[object], outputs: Mapping[str, str]) -> None:
    """Run one stage that reads the prompt in `place`; its outputs lie in the folder `DATA` there.

    Raises:
        ThreeplyError: it has failed (it has told why).
    """
    if subprocess.run(stage_command(stage, inputs, outputs), cwd=place, check=False).returncode:
        raise ThreeplyError(f"{stage} has failed in {place}; what it said stands above")


def train_once(
    project: Path,
    place: Path,
    *,
    params: str,
    start: str,
    stage: str,
    inputs: Sequence[object],
    outputs: Mapping[str, str],
) -> None:
    """Run a stage that trains in `place` under `params`, if it has not run there so from this `start`.

    `DONE` says what it took.

    Raises:
        ThreeplyError: it has failed (it has told why).
    """
    done, mark = place / DONE, hashlib.sha256((params + start).encode()).hexdigest()
    if done.is_file() and json.loads(done.read_text(encoding="utf-8"))["mark"] == mark:
        return
    make_place(project, place, params)
    for left in (place / DATA, place / ".threeply" / "work"):
        shutil.rmtree(left, ignore_errors=True)
    started = time.monotonic()
    print(f"trains in {place}", flush=True)
    run_stage(place, stage, inputs, outputs)
    write_json(done, {"mark": mark, "seconds": round(time.monotonic() - started, 1)})


def calibrate_once(place: Path, inputs: Sequence[object]) -> None:
    """Calibrate what has been trained in `place`, if it has not been.

    Raises:
        ThreeplyError: the stage has failed (it has told why).
    """
    if not (place / DATA / "calibrate.json").is_file():
        outputs = {"thresholds": "calibrate.json", "curve": "calibrate.csv", "report": "calibrated.json"}
        run_stage(place, "calibrate", [*inputs, place / DATA / "adapter"], outputs)


def stage_command(stage: str, inputs: Sequence[object], outputs: Mapping[str, str]) -> list[str]:
    """The words by which `run_stage` runs a stage."""
    named = [part for name, file in outputs.items() for part in (f"--{name}", str(DATA / file))]
    words = [stage, *map(str, inputs), "--prompts", "sources/prompts", *named]
    return [sys.executable, "-m", "tasks", *words]
