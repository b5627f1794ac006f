"""The whole chain on a GPU: which stages have run on it, how long they took, and what the bundle answers."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.answer import Layers
from deploy.bundle import load_bundle
from deploy.errors import ThreeplyError
from deploy.messages import Message
from tasks.machine.progress import duration
from tasks.rows.timings import read_timings

PLACE = Path("build/gpu")
REPORTS, BUNDLE = Path("data/reports"), Path(".threeply/releases/current")
# Those that compute with a model.
ON_DEVICE = ("index", "sft", "sample", "reward", "rlhf", "calibrate", "evaluate")
ASKED = (
    "What is the default of `t` in `scipy.signal.resample`?",
    "Which function designs a Butterworth filter?",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where a stage has computed, in which format, how long, and the memory of its process."""

    name: str
    device: str
    precision: str
    seconds: float
    peak_mib: float


def run(place: Path) -> None:
    """Run the profile `smoke` in `place`: every stage with the real model, and little data.

    Raises:
        ThreeplyError: it has failed (it has told why).
    """
    command = [sys.executable, "-m", "flows", "run", "--profile", "smoke", "--place", str(place)]
    if subprocess.run(command, check=False).returncode:
        raise ThreeplyError(f"the run in {place} has failed; what it said stands above")


def stages(place: Path) -> list[Stage]:
    """What the stages that compute with a model have reported; one that was skipped is left out."""
    timings = read_timings(place / REPORTS / "stages.json")
    found: list[Stage] = []
    for name in ON_DEVICE:
        figures = json.loads((place / REPORTS / f"{name}.json").read_text(encoding="utf-8"))["figures"]
        if "device" in figures:
            took = timings.get(name, {"seconds": 0.0, "peak_mib": 0.0})
            found.append(Stage(name=name, device=figures["device"], precision=figures["precision"], **took))
    return found


def elsewhere(found: Sequence[Stage], device: str) -> list[str]:
    """The stages that have not run on `device`."""
    return [stage.name for stage in found if stage.device != device]


def asked(place: Path) -> list[dict[str, Any]]:
    """What each model of the bundle answers to each question of `ASKED`, and its tokens a second.

    Raises:
        ThreeplyError: the bundle is not whole.
    """
    assistant = load_bundle((place / BUNDLE).resolve())
    talks = [[Message("user", question)] for question in ASKED]
    told: list[dict[str, Any]] = []
    for model in assistant.models:
        assistant.answer(talks, model=model, layers=Layers())  # the first call compiles
        began = time.perf_counter()
        answers = assistant.answer(talks, model=model, layers=Layers())
        seconds = time.perf_counter() - began
        said = sum(answer.completion_tokens for answer in answers)
        texts = [answer.text for answer in answers]
        told.append({"model": model, "tokens_per_s": round(said / seconds, 1), "answers": texts})
    return told


def table(found: Sequence[Stage], told: Sequence[Mapping[str, Any]]) -> str:
    """Both as Markdown."""
    lines = ["| stage | device | precision | time | memory of the process |", "|---|---|---|--:|--:|"]
    lines += [
        f"| `{stage.name}` | {stage.device} | {stage.precision} | {duration(stage.seconds)} "
        f"| {stage.peak_mib:,.0f} MiB |"
        for stage in found
    ]
    lines += ["", "| model of the bundle | tokens/s | says first |", "|---|--:|---|"]
    for each in told:
        first = " ".join(each["answers"][0].split()).replace("|", "\\|")
        lines.append(f"| `{each['model']}` | {each['tokens_per_s']} | {first} |")
    return "\n".join(lines) + "\n"
